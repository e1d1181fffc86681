//! S2 cell ids, neighbours, coverings and tangent frames
