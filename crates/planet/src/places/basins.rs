//! Divides a mask into basins where it is narrow.

/// How the mask is divided.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    /// Two basins are one when the neck between them is at least this share as wide as the narrower of the two.
    pub(super) neck_share: f64,
    /// Basins of fewer cells join a neighbour, if they have one.
    pub(super) cells_min: usize,
}

/// A basin: its cells' label is its index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Basin {
    /// The cell farthest from the edge of the mask.
    pub(super) peak: u32,
    /// Its cells.
    pub(super) cells: usize,
}

/// No basin.
pub(super) const OUTSIDE: u32 = u32::MAX;

/// Labels every cell of the mask with its basin, the greatest basin first.
///
/// A watershed over the distance from the edge: cells are taken from the middle outwards; where two basins meet, they
/// become one or remain two by [`Rule::neck_share`]. Ties are broken by the cells' numbers, so the result is a function
/// of the mask alone.
pub(super) fn divide(
    mask: &[bool],
    neighbors: impl Fn(u32) -> [u32; 4],
    rule: Rule,
) -> (Vec<Basin>, Vec<u32>) {
    let distance = distance_from_edge(mask, &neighbors);
    let mut order: Vec<u32> = (0..mask.len() as u32).filter(|cell| mask[*cell as usize]).collect();
    order.sort_unstable_by_key(|cell| (u32::MAX - distance[*cell as usize], *cell));

    let mut sets = Sets::default();
    let mut set_of = vec![OUTSIDE; mask.len()];
    for cell in order {
        let here = distance[cell as usize];
        let mut home = OUTSIDE;
        for neighbor in neighbors(cell) {
            let set = set_of[neighbor as usize];
            if set == OUTSIDE {
                continue;
            }
            let set = sets.root(set);
            if home == OUTSIDE {
                home = set;
            } else if home != set {
                let narrower = sets.reach[home as usize].min(sets.reach[set as usize]);
                home = if f64::from(here) >= rule.neck_share * f64::from(narrower) {
                    sets.join(home, set)
                } else {
                    sets.farther_reaching(home, set)
                };
            }
        }
        if home == OUTSIDE {
            home = sets.add(cell, here);
        }
        sets.cells[home as usize] += 1;
        set_of[cell as usize] = home;
    }
    sets.absorb_small(&set_of, neighbors, rule.cells_min);
    sets.number(set_of)
}

/// Steps to the nearest cell outside, at least 1 within the mask; far beyond everything if there is no outside.
fn distance_from_edge(mask: &[bool], neighbors: &impl Fn(u32) -> [u32; 4]) -> Vec<u32> {
    let mut distance: Vec<u32> = mask.iter().map(|inside| if *inside { u32::MAX } else { 0 }).collect();
    let mut front: Vec<u32> = (0..mask.len() as u32).filter(|cell| !mask[*cell as usize]).collect();
    let mut steps = 0;
    while !front.is_empty() {
        steps += 1;
        let mut next = Vec::new();
        for cell in front {
            for neighbor in neighbors(cell) {
                if distance[neighbor as usize] == u32::MAX {
                    distance[neighbor as usize] = steps;
                    next.push(neighbor);
                }
            }
        }
        front = next;
    }
    distance
}

/// Disjoint sets of cells (Tarjan 1975, path halving), each with its middle.
#[derive(Default)]
struct Sets {
    parent: Vec<u32>,
    peak: Vec<u32>,
    /// Distance of the peak from the edge.
    reach: Vec<u32>,
    cells: Vec<usize>,
}

impl Sets {
    fn add(&mut self, peak: u32, reach: u32) -> u32 {
        let set = self.parent.len() as u32;
        self.parent.push(set);
        self.peak.push(peak);
        self.reach.push(reach);
        self.cells.push(0);
        set
    }

    fn root(&mut self, mut set: u32) -> u32 {
        while self.parent[set as usize] != set {
            self.parent[set as usize] = self.parent[self.parent[set as usize] as usize];
            set = self.parent[set as usize];
        }
        set
    }

    /// The set whose peak is farther from the edge, the older one if they are alike.
    fn farther_reaching(&self, a: u32, b: u32) -> u32 {
        let key = |set: u32| (self.reach[set as usize], u32::MAX - set);
        if key(a) >= key(b) { a } else { b }
    }

    fn join(&mut self, a: u32, b: u32) -> u32 {
        let kept = self.farther_reaching(a, b);
        let other = if kept == a { b } else { a };
        self.parent[other as usize] = kept;
        self.cells[kept as usize] += self.cells[other as usize];
        kept
    }

    /// Small basins become part of the largest basin they touch.
    fn absorb_small(&mut self, set_of: &[u32], neighbors: impl Fn(u32) -> [u32; 4], cells_min: usize) {
        let mut touching: Vec<(u32, u32)> = Vec::new();
        for cell in 0..set_of.len() as u32 {
            if set_of[cell as usize] == OUTSIDE {
                continue;
            }
            let home = self.root(set_of[cell as usize]);
            for neighbor in neighbors(cell) {
                if set_of[neighbor as usize] != OUTSIDE {
                    let other = self.root(set_of[neighbor as usize]);
                    if other != home {
                        touching.push((home, other));
                    }
                }
            }
        }
        touching.sort_unstable();
        touching.dedup();
        let mut small: Vec<u32> = touching
            .iter()
            .map(|(set, _)| *set)
            .filter(|set| self.cells[*set as usize] < cells_min)
            .collect();
        small.dedup();
        small.sort_by_key(|set| (self.cells[*set as usize], *set));
        for set in small {
            let home = self.root(set);
            if self.cells[home as usize] >= cells_min {
                continue;
            }
            let first = touching.partition_point(|(from, _)| *from < set);
            let others: Vec<u32> =
                touching[first..].iter().take_while(|(from, _)| *from == set).map(|(_, to)| *to).collect();
            let others: Vec<u32> = others.into_iter().map(|other| self.root(other)).collect();
            let largest = others
                .into_iter()
                .filter(|other| *other != home)
                .max_by_key(|other| (self.cells[*other as usize], u32::MAX - other));
            if let Some(largest) = largest {
                self.join(home, largest);
            }
        }
    }

    /// Gives the sets numbers by size and every cell the number of its set.
    fn number(mut self, mut set_of: Vec<u32>) -> (Vec<Basin>, Vec<u32>) {
        let mut roots: Vec<u32> =
            (0..self.parent.len() as u32).filter(|set| self.parent[*set as usize] == *set).collect();
        roots.sort_by_key(|set| (usize::MAX - self.cells[*set as usize], self.peak[*set as usize]));
        let mut number_of = vec![OUTSIDE; self.parent.len()];
        for (number, root) in roots.iter().enumerate() {
            number_of[*root as usize] = number as u32;
        }
        for set in &mut set_of {
            if *set != OUTSIDE {
                *set = number_of[self.root(*set) as usize];
            }
        }
        let basin = |root: &u32| Basin { peak: self.peak[*root as usize], cells: self.cells[*root as usize] };
        (roots.iter().map(basin).collect(), set_of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Divides a picture; `#` is inside. Beyond the picture is outside.
    fn check(picture: &str, rule: Rule, expected: &str) {
        let rows: Vec<&str> = picture.split_whitespace().collect();
        let width = rows[0].len() as i64;
        let mask: Vec<bool> = rows.concat().chars().map(|sign| sign == '#').collect();
        let neighbors = |cell: u32| {
            let (x, y) = (i64::from(cell) % width, i64::from(cell) / width);
            [(1, 0), (0, 1), (-1, 0), (0, -1)].map(|(dx, dy)| {
                let (x, y) = ((x + dx).clamp(0, width - 1), (y + dy).clamp(0, rows.len() as i64 - 1));
                (y * width + x) as u32
            })
        };
        let (basins, labels) = divide(&mask, neighbors, rule);
        let sign = |label: u32| if label == OUTSIDE { '.' } else { char::from(b'a' + label as u8) };
        let drawn: String = labels.iter().copied().map(sign).collect();
        assert_eq!(drawn, expected.split_whitespace().collect::<String>());
        assert_eq!(
            basins.iter().map(|basin| basin.cells).sum::<usize>(),
            mask.iter().filter(|m| **m).count()
        );
        for (number, basin) in basins.iter().enumerate() {
            assert_eq!(labels[basin.peak as usize], number as u32, "a peak lies in its basin");
        }
    }

    const TWO_LAKES: &str = "
        ...................
        .#######...........
        .#######...#####...
        .###############...
        .#######...#####...
        .#######...#####...
        .#######...........
        ...................";

    #[test]
    fn a_narrow_neck_divides_and_a_wide_one_does_not() {
        let divided = "
            ...................
            .aaaaaaa...........
            .aaaaaaa...bbbbb...
            .aaaaaaaaaabbbbb...
            .aaaaaaa...bbbbb...
            .aaaaaaa...bbbbb...
            .aaaaaaa...........
            ...................";
        check(TWO_LAKES, Rule { neck_share: 0.6, cells_min: 3 }, divided);
        check(TWO_LAKES, Rule { neck_share: 0.3, cells_min: 3 }, &TWO_LAKES.replace('#', "a"));
    }

    #[test]
    fn what_is_too_small_belongs_to_its_neighbour_and_islands_stay() {
        check(TWO_LAKES, Rule { neck_share: 0.6, cells_min: 24 }, &TWO_LAKES.replace('#', "a"));
        check("#..##", Rule { neck_share: 0.6, cells_min: 9 }, "b..aa");
    }
}
