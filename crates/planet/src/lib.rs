//! The planet from its seed: elevation, biome, chunks, arrival place
