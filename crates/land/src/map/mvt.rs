//! Mapbox Vector Tiles 2.1: the messages of the published schema, and what fills them.

use std::collections::BTreeMap;

use prost::Message;

use super::xyz::EXTENT;

/// `vector_tile.proto` 2.1, the parts that are written here.
#[derive(Clone, PartialEq, Message)]
struct Tile {
    #[prost(message, repeated, tag = "3")]
    layers: Vec<LayerMessage>,
}

#[derive(Clone, PartialEq, Message)]
struct LayerMessage {
    #[prost(uint32, required, tag = "15")]
    version: u32,
    #[prost(string, required, tag = "1")]
    name: String,
    #[prost(message, repeated, tag = "2")]
    features: Vec<Feature>,
    #[prost(string, repeated, tag = "3")]
    keys: Vec<String>,
    #[prost(message, repeated, tag = "4")]
    values: Vec<ValueMessage>,
    #[prost(uint32, optional, tag = "5")]
    extent: Option<u32>,
}

#[derive(Clone, PartialEq, Message)]
struct Feature {
    #[prost(uint64, optional, tag = "1")]
    id: Option<u64>,
    #[prost(uint32, repeated, packed = "true", tag = "2")]
    tags: Vec<u32>,
    #[prost(int32, optional, tag = "3")]
    kind: Option<i32>,
    #[prost(uint32, repeated, packed = "true", tag = "4")]
    geometry: Vec<u32>,
}

#[derive(Clone, PartialEq, Message)]
struct ValueMessage {
    #[prost(string, optional, tag = "1")]
    string: Option<String>,
    #[prost(sint64, optional, tag = "6")]
    sint: Option<i64>,
    #[prost(bool, optional, tag = "7")]
    bool: Option<bool>,
}

/// A property of a feature.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Property {
    Text(String),
    Whole(i64),
    Flag(bool),
}

/// A point of a tile, in steps.
pub(crate) type Step = (i32, i32);

/// Collects the features of a layer.
pub(crate) struct Layer {
    message: LayerMessage,
    keys: BTreeMap<&'static str, u32>,
    values: BTreeMap<Property, u32>,
}

const POINT: i32 = 1;
const POLYGON: i32 = 3;
const MOVE_TO: u32 = 1;
const LINE_TO: u32 = 2;
const CLOSE_PATH: u32 = 7;

impl Layer {
    pub(crate) fn new(name: &str) -> Self {
        let message = LayerMessage {
            version: 2,
            name: name.to_owned(),
            features: Vec::new(),
            keys: Vec::new(),
            values: Vec::new(),
            extent: Some(EXTENT),
        };
        Self { message, keys: BTreeMap::new(), values: BTreeMap::new() }
    }

    pub(crate) fn add_point(&mut self, id: u64, at: Step, properties: Vec<(&'static str, Property)>) {
        let mut pen = Pen::default();
        pen.move_to(at);
        self.add(id, POINT, pen.commands, properties);
    }

    /// Adds polygons: each an outer ring and its holes, as [`super::outline`] has them, in steps. Rings that have no area
    /// at this zoom are left out; a feature of nothing is not added.
    pub(crate) fn add_polygons(
        &mut self,
        id: u64,
        polygons: &[Vec<Vec<Step>>],
        properties: Vec<(&'static str, Property)>,
    ) {
        let mut pen = Pen::default();
        for rings in polygons {
            let (outer, holes) = rings.split_first().expect("a polygon has an outer ring");
            // Seen from outside outer rings run counter-clockwise; rows grow downwards, and the schema wants its area
            // positive then.
            let outer = reversed(outer);
            if doubled_area(&outer) <= 0 {
                continue;
            }
            pen.ring(&outer);
            holes
                .iter()
                .map(|it| reversed(it))
                .filter(|it| doubled_area(it) < 0)
                .for_each(|it| pen.ring(&it));
        }
        if !pen.commands.is_empty() {
            self.add(id, POLYGON, pen.commands, properties);
        }
    }

    fn add(&mut self, id: u64, kind: i32, geometry: Vec<u32>, properties: Vec<(&'static str, Property)>) {
        let mut tags = Vec::with_capacity(2 * properties.len());
        for (key, value) in properties {
            let next = self.keys.len() as u32;
            let key_index = *self.keys.entry(key).or_insert(next);
            if key_index == next {
                self.message.keys.push(key.to_owned());
            }
            let next = self.values.len() as u32;
            let value_index = *self.values.entry(value.clone()).or_insert(next);
            if value_index == next {
                self.message.values.push(value_message(value));
            }
            tags.extend([key_index, value_index]);
        }
        self.message.features.push(Feature { id: Some(id), tags, kind: Some(kind), geometry });
    }
}

fn value_message(value: Property) -> ValueMessage {
    let mut message = ValueMessage::default();
    match value {
        Property::Text(it) => message.string = Some(it),
        Property::Whole(it) => message.sint = Some(it),
        Property::Flag(it) => message.bool = Some(it),
    }
    message
}

/// The bytes of a tile. Layers without features are left out, as the specification advises.
pub(crate) fn encode(layers: Vec<Layer>) -> Vec<u8> {
    let layers = layers.into_iter().map(|it| it.message).filter(|it| !it.features.is_empty()).collect();
    Tile { layers }.encode_to_vec()
}

/// Backwards, without points that fall together.
fn reversed(ring: &[Step]) -> Vec<Step> {
    let mut ring: Vec<Step> = ring.iter().rev().copied().collect();
    ring.dedup();
    while ring.len() > 1 && ring.first() == ring.last() {
        ring.pop();
    }
    ring
}

/// Twice the area by the surveyor's formula.
fn doubled_area(ring: &[Step]) -> i64 {
    (0..ring.len())
        .map(|index| {
            let ((ax, ay), (bx, by)) = (ring[index], ring[(index + 1) % ring.len()]);
            i64::from(ax) * i64::from(by) - i64::from(bx) * i64::from(ay)
        })
        .sum()
}

/// Writes commands relative to where it is.
#[derive(Default)]
struct Pen {
    commands: Vec<u32>,
    at: Step,
}

impl Pen {
    fn command(&mut self, id: u32, count: usize) {
        self.commands.push(id | (count as u32) << 3);
    }

    fn go(&mut self, (x, y): Step) {
        let zigzag = |it: i32| ((it << 1) ^ (it >> 31)) as u32;
        self.commands.extend([zigzag(x - self.at.0), zigzag(y - self.at.1)]);
        self.at = (x, y);
    }

    fn move_to(&mut self, at: Step) {
        self.command(MOVE_TO, 1);
        self.go(at);
    }

    fn ring(&mut self, ring: &[Step]) {
        self.move_to(ring[0]);
        self.command(LINE_TO, ring.len() - 1);
        ring[1..].iter().for_each(|it| self.go(*it));
        self.command(CLOSE_PATH, 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_those_of_the_specification() {
        let mut pen = Pen::default();
        pen.move_to((25, 17));
        assert_eq!(pen.commands, [9, 50, 34]);
        // The polygon of section 4.3.5.
        let mut pen = Pen::default();
        pen.ring(&[(3, 6), (8, 12), (20, 34)]);
        assert_eq!(pen.commands, [9, 6, 12, 18, 10, 12, 24, 44, 15]);
    }

    #[test]
    fn rings_without_area_are_left_out() {
        let mut layer = Layer::new("parcels");
        layer.add_polygons(1, &[vec![vec![(0, 0), (0, 0), (1, 0)]]], vec![]);
        assert!(layer.message.features.is_empty());
        // Counter-clockwise on the screen, as outlines come; a hole of nothing is dropped.
        let square = vec![(0, 0), (0, 9), (9, 9), (9, 0)];
        layer.add_polygons(
            2,
            &[vec![square, vec![(3, 3), (3, 3), (4, 3)]]],
            vec![("a", Property::Whole(-1))],
        );
        let feature = &layer.message.features[0];
        assert_eq!(feature.geometry.iter().filter(|it| **it == 15).count(), 1);
        assert_eq!(
            (feature.tags.as_slice(), layer.message.keys.as_slice()),
            ([0, 0].as_slice(), ["a".to_owned()].as_slice())
        );
    }

    #[test]
    fn an_empty_tile_has_no_bytes() {
        assert!(encode(vec![Layer::new("parcels")]).is_empty());
    }
}
