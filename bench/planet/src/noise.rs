//! The noise kernel against three crates, one instruction set after the other.

use std::hint::black_box;

use cell::{CellId, face_uv_to_point, st_to_uv};
use glam::DVec3;
use planet::noise::{Fbm, InstructionSet, Positions};

use crate::peers::{self, Samples};
use crate::rounds::{Contender, compete};

/// Chunks sampled in one piece of work.
const CHUNKS: u32 = 16;
/// Samples along the side of a chunk.
const SIDE: u32 = 64;
const RADIUS_M: f64 = 796_375.0;
/// Waves per metre of the first octave.
const FREQUENCY: f64 = 1.0 / 250.0;
const ROUNDS: usize = 31;

pub fn measure() {
    let chunks: Vec<Positions> = (0..CHUNKS).map(positions).collect();
    let samples: Vec<Samples> = chunks.iter().map(as_f32).collect();
    identity(&chunks);
    for octaves in [1, 6] {
        compare(octaves, &chunks, &samples);
    }
}

/// A chunk of level 14, somewhere on a face, in metres from the centre of the planet.
fn positions(number: u32) -> Positions {
    let cell = CellId::from_face((number % 6) as u8).descendants(5).nth(37 * number as usize % 1_024);
    let at = cell.expect("an index below 4^5").face_ij();
    let quads = f64::from(1_u32 << 20);
    let uv = |index: u32, offset: u32| st_to_uv(f64::from((index << 15) + offset) / quads);
    let rows = (0..SIDE).flat_map(|row| (0..SIDE).map(move |column| (row, column)));
    let unit = |(row, column)| face_uv_to_point(at.face, uv(at.i, column), uv(at.j, row)).normalize();
    rows.map(|vertex| unit(vertex) * RADIUS_M).collect()
}

fn as_f32(positions: &Positions) -> Samples {
    let axis = |pick: fn(DVec3) -> f64| positions.iter().map(|at| pick(at) as f32).collect();
    Samples { x: axis(|at| at.x), y: axis(|at| at.y), z: axis(|at| at.z) }
}

/// One hash for every instruction set.
fn identity(chunks: &[Positions]) {
    let fbm = Fbm::new(1, 1, FREQUENCY, 0.5, 6);
    println!("hash of {CHUNKS} chunks of {SIDE} x {SIDE}, 6 octaves");
    let hashes: Vec<u64> = InstructionSet::available()
        .map(|set| {
            let mut hash = 0_u64;
            let mut out = vec![0.0_f32; (SIDE * SIDE) as usize];
            for chunk in chunks {
                fbm.sum_with(set, chunk, 6, &mut out);
                hash = out.iter().fold(hash, |hash, value| {
                    hash.wrapping_mul(0x0000_0100_0000_01b3) ^ u64::from(value.to_bits())
                });
            }
            println!("  {:28} {hash:016x}", format!("{set:?}"));
            hash
        })
        .collect();
    assert!(hashes.windows(2).all(|pair| pair[0] == pair[1]), "instruction sets disagree");
}

fn compare(octaves: usize, chunks: &[Positions], samples: &[Samples]) {
    let count = (SIDE * SIDE) as usize;
    let fbm = Fbm::new(1, 1, FREQUENCY, 0.5, octaves);
    let mut contenders: Vec<Contender<'_>> = Vec::new();
    for set in InstructionSet::available() {
        let fbm = fbm.clone();
        let mut out = vec![0.0; count];
        contenders.push(Contender::new(format!("terrane {set:?}"), move || {
            for chunk in chunks {
                fbm.sum_with(set, chunk, octaves, &mut out);
                black_box(&out);
            }
        }));
    }
    let own = contenders.len();
    let mut peer = |name: &str, work: Box<dyn Fn(&Samples, &mut [f32])>| {
        let mut out = vec![0.0; count];
        contenders.push(Contender::new(name, move || {
            for chunk in samples {
                work(chunk, &mut out);
                black_box(&out);
            }
        }));
    };
    peer("noise OpenSimplex", Box::new(peers::open_simplex(octaves, FREQUENCY)));
    peer("fastnoise-lite OpenSimplex2", Box::new(peers::fastnoise_lite(octaves, FREQUENCY)));
    #[cfg(target_arch = "x86_64")]
    {
        peer("simdnoise SSE2", Box::new(peers::simdnoise_lanes::sse2(octaves, FREQUENCY)));
        peer("simdnoise SSE4.1", Box::new(peers::simdnoise_lanes::sse41(octaves, FREQUENCY)));
        if InstructionSet::Avx2.is_available() {
            peer("simdnoise AVX2", Box::new(peers::simdnoise_lanes::avx2(octaves, FREQUENCY)));
        }
    }
    compete(&mut contenders, ROUNDS, CHUNKS as usize * count);
    report(octaves, &contenders, own);
}

fn report(octaves: usize, contenders: &[Contender<'_>], own: usize) {
    println!("\n{octaves} octave(s): ns a sample, and how many times as long as each of ours");
    for contender in contenders {
        let leads: Vec<String> = contenders[..own]
            .iter()
            .map(|ours| format!("{:5.1} x", ours.lead_over(contender).median))
            .collect();
        println!("  {:28} {:>22}  {}", contender.name, contender.time().to_string(), leads.join("  "));
    }
}
