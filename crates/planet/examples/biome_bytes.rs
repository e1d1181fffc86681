//! Writes the default table of biomes in its byte form, for `src/biome_table/default.bin`.

use std::io::{self, Write};

fn main() -> io::Result<()> {
    let text = include_str!("../../../content/biomes.toml");
    let table = planet::BiomeTable::parse(text).map_err(io::Error::other)?;
    io::stdout().write_all(&table.to_bytes())
}
