//! The table as people write it: TOML, explained in `content/biomes.toml`.

use std::ops::Range;

use serde::Deserialize;
use thiserror::Error;
use toml::Spanned;

use super::{Band, BiomeTable, Class, GroundLimits, WaterLimits, bytes};
use crate::Biome;

/// Why a text is no table of biomes.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {problem}")]
pub struct BiomeTableError {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong, with the name of the field.
    pub problem: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TableText {
    #[serde(rename = "band")]
    bands: Vec<Spanned<BandText>>,
    water: Spanned<WaterLimits>,
    ground: Spanned<GroundLimits>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BandText {
    colder_than_c: Option<Spanned<f32>>,
    classes: Spanned<Vec<ClassText>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClassText {
    drier_than_mm: Option<Spanned<f32>>,
    biome: Spanned<String>,
}

impl BiomeTable {
    /// Reads a table; `content/biomes.toml` shows and explains the form. The first problem is reported with its line.
    pub fn parse(text: &str) -> Result<Self, BiomeTableError> {
        let reader = Reader { text };
        let table: TableText = toml::from_str(text)
            .map_err(|error| reader.error(&error.span().unwrap_or_default(), error.message().to_owned()))?;
        let bands = reader.bands(&table.bands)?;
        let (water, ground) = (*table.water.get_ref(), *table.ground.get_ref());
        let sections = [("water", &table.water.span()), ("ground", &table.ground.span())];
        let limits: [&[f32]; 2] = [&water.to_array(), &ground.to_array()];
        for ((name, span), limits) in sections.into_iter().zip(limits) {
            if !limits.iter().all(|limit| limit.is_finite()) {
                return Err(reader.error(span, format!("[{name}]: all values must be finite")));
            }
        }
        if ground.bank_height_walked_m <= 0.0 {
            let problem = "bank_height_walked_m: must be above 0".to_owned();
            return Err(reader.error(&table.ground.span(), problem));
        }
        Ok(Self { bands, water, ground })
    }
}

struct Reader<'a> {
    text: &'a str,
}

impl Reader<'_> {
    fn error(&self, span: &Range<usize>, problem: String) -> BiomeTableError {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        BiomeTableError { line: 1 + before.matches('\n').count(), problem }
    }

    fn bands(&self, texts: &[Spanned<BandText>]) -> Result<Vec<Band>, BiomeTableError> {
        if texts.is_empty() || texts.len() > bytes::COUNT_MAX {
            return Err(self.error(&(0..0), format!("band: there must be 1 to {}", bytes::COUNT_MAX)));
        }
        let limits: Vec<_> =
            texts.iter().map(|band| (band.span(), band.get_ref().colder_than_c.as_ref())).collect();
        let limits = self.limits("colder_than_c", &limits)?;
        let classes = texts.iter().map(|band| self.classes(&band.get_ref().classes));
        limits
            .into_iter()
            .zip(classes)
            .map(|(colder_than_c, classes)| Ok(Band { colder_than_c, classes: classes? }))
            .collect()
    }

    fn classes(&self, texts: &Spanned<Vec<ClassText>>) -> Result<Vec<Class>, BiomeTableError> {
        let count = texts.get_ref().len();
        if count == 0 || count > bytes::COUNT_MAX {
            return Err(
                self.error(&texts.span(), format!("classes: there must be 1 to {}", bytes::COUNT_MAX))
            );
        }
        let limits: Vec<_> =
            texts.get_ref().iter().map(|class| (class.biome.span(), class.drier_than_mm.as_ref())).collect();
        let limits = self.limits("drier_than_mm", &limits)?;
        let biomes = texts.get_ref().iter().map(|class| self.biome(&class.biome));
        limits
            .into_iter()
            .zip(biomes)
            .map(|(drier_than_mm, biome)| Ok(Class { drier_than_mm, biome: biome? }))
            .collect()
    }

    /// Rising limits, of which the last alone is left out, and counts as infinite.
    fn limits(
        &self,
        field: &str,
        limits: &[(Range<usize>, Option<&Spanned<f32>>)],
    ) -> Result<Vec<f32>, BiomeTableError> {
        let mut values = Vec::with_capacity(limits.len());
        for (index, (place, limit)) in limits.iter().enumerate() {
            let is_last = index + 1 == limits.len();
            let value = match limit {
                Some(limit) if is_last => {
                    return Err(
                        self.error(&limit.span(), format!("{field}: the last has none, it holds the rest"))
                    );
                }
                None if is_last => f32::INFINITY,
                None => return Err(self.error(place, format!("{field}: only the last may leave it out"))),
                Some(limit) if !limit.get_ref().is_finite() => {
                    return Err(self.error(&limit.span(), format!("{field}: must be finite")));
                }
                Some(limit) if values.last().is_some_and(|before| before >= limit.get_ref()) => {
                    return Err(self.error(&limit.span(), format!("{field}: must be above the one before")));
                }
                Some(limit) => *limit.get_ref(),
            };
            values.push(value);
        }
        Ok(values)
    }

    fn biome(&self, name: &Spanned<String>) -> Result<Biome, BiomeTableError> {
        let biome = Biome::from_name(name.get_ref());
        let biome = biome.ok_or_else(|| {
            let known: Vec<_> =
                Biome::ALL.iter().filter(|biome| !biome.is_water()).map(|biome| biome.name()).collect();
            let problem = format!("biome: there is no {:?}; known are {}", name.get_ref(), known.join(", "));
            self.error(&name.span(), problem)
        })?;
        if biome.is_water() {
            let problem = format!("biome: {:?} is water, and the climate makes only land", name.get_ref());
            return Err(self.error(&name.span(), problem));
        }
        Ok(biome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = include_str!("../../../../content/biomes.toml");

    #[test]
    fn the_default_is_the_table_in_content() {
        let bytes = BiomeTable::parse(TEXT).expect("a valid table").to_bytes();
        assert_eq!(
            BiomeTable::default().to_bytes(),
            bytes,
            "after a change: cargo run -p planet --example biome_bytes > crates/planet/src/biome_table/default.bin"
        );
    }

    #[test]
    fn mistakes_are_named_with_their_line_and_field() {
        let check = |from: &str, to: &str, expected: &str| {
            assert!(TEXT.contains(from), "the sample has {from}");
            let line = 1 + TEXT[..TEXT.find(from).unwrap()].matches('\n').count();
            let error = BiomeTable::parse(&TEXT.replacen(from, to, 1)).expect_err(to).to_string();
            assert!(error.contains(expected), "{error} should speak of {expected}");
            assert!(error.starts_with(&format!("line {line}: ")), "{error} should be on line {line}");
        };
        check("colder_than_c = -4.0", "colder_than_c = -40.0", "colder_than_c: must be above the one before");
        check("colder_than_c = -4.0", "colder_than_c = nan", "colder_than_c: must be finite");
        check("colder_than_c = -4.0", "colder_than_c = \"warm\"", "invalid type");
        check("colder_than_c = -4.0", "warmer_than_c = -4.0", "unknown field `warmer_than_c`");
        check("\"tundra\"", "\"tundar\"", "there is no \"tundar\"");
        check("\"tundra\"", "\"ocean\"", "is water");
        check("{ biome = \"ice\" }", "", "classes: there must be 1");
        check(
            "{ biome = \"ice\" }",
            "{ drier_than_mm = 3.0, biome = \"ice\" }",
            "drier_than_mm: the last has none",
        );
        check("drier_than_mm = 110.0, ", "", "drier_than_mm: only the last may leave it out");
    }

    #[test]
    fn what_is_missing_is_named() {
        for field in ["rock_slope = 1.0", "sea_ice_below_c = -15.0"] {
            let error = BiomeTable::parse(&TEXT.replacen(field, "", 1)).expect_err(field);
            let name = field.split(' ').next().unwrap();
            assert!(error.problem.contains(name), "{error} should speak of {name}");
        }
        let error = BiomeTable::parse("").expect_err("an empty text");
        assert!(error.problem.contains("band"), "{error}");
    }
}
