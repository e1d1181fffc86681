//! How a body moves on a heightfield, the same bits on server and in browser
