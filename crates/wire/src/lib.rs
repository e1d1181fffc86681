//! The client protocol: messages, stream codec, versions and limits
