//! What others offer: the same question, six octaves of noise in space, put to each in its own way.

use fastnoise_lite::{FastNoiseLite, FractalType, NoiseType};
use noise::{Fbm, MultiFractal, NoiseFn, OpenSimplex};

/// Positions in `f32`, as these libraries take them.
pub struct Samples {
    pub x: Vec<f32>,
    pub y: Vec<f32>,
    pub z: Vec<f32>,
}

/// Crate `noise`: OpenSimplex, in `f64`. What most people pick.
pub fn open_simplex(octaves: usize, frequency: f64) -> impl Fn(&Samples, &mut [f32]) {
    let fbm = Fbm::<OpenSimplex>::new(1).set_octaves(octaves).set_frequency(frequency);
    move |samples, out| {
        for (index, value) in out.iter_mut().enumerate() {
            let point = [samples.x[index], samples.y[index], samples.z[index]].map(f64::from);
            *value = fbm.get(point) as f32;
        }
    }
}

/// Crate `fastnoise-lite`: OpenSimplex2.
pub fn fastnoise_lite(octaves: usize, frequency: f64) -> impl Fn(&Samples, &mut [f32]) {
    let mut fbm = FastNoiseLite::with_seed(1);
    fbm.set_noise_type(Some(NoiseType::OpenSimplex2));
    fbm.set_fractal_type((octaves > 1).then_some(FractalType::FBm));
    fbm.set_fractal_octaves(Some(octaves as i32));
    fbm.set_frequency(Some(frequency as f32));
    move |samples, out| {
        for (index, value) in out.iter_mut().enumerate() {
            *value = fbm.get_noise_3d(samples.x[index], samples.y[index], samples.z[index]);
        }
    }
}

/// Crate `simdnoise`: simplex noise by lanes, called directly because its blocks have only places on a grid.
#[cfg(target_arch = "x86_64")]
pub mod simdnoise_lanes {
    use std::arch::x86_64::*;

    use super::Samples;

    macro_rules! level {
        ($name:ident, $module:ident, $feature:tt, $lanes:literal, $load:ident, $store:ident, $splat:ident, $mul:ident) => {
            pub fn $name(octaves: usize, frequency: f64) -> impl Fn(&Samples, &mut [f32]) {
                #[target_feature(enable = $feature)]
                fn work(octaves: u8, frequency: f32, samples: &Samples, out: &mut [f32]) {
                    let arrays = samples.x.chunks_exact($lanes).zip(samples.y.chunks_exact($lanes));
                    let arrays = arrays.zip(samples.z.chunks_exact($lanes)).zip(out.chunks_exact_mut($lanes));
                    for (((x, y), z), out) in arrays {
                        // SAFETY: each slice has as many lanes as the vector; the caller asked for the feature.
                        unsafe {
                            let frequency = $splat(frequency);
                            let [x, y, z] = [x, y, z].map(|axis| $mul($load(axis.as_ptr()), frequency));
                            let value =
                                simdnoise::$module::fbm_3d(x, y, z, $splat(2.0), $splat(0.5), octaves, 1);
                            $store(out.as_mut_ptr(), value);
                        }
                    }
                }
                assert!(is_x86_feature_detected!($feature));
                // SAFETY: the machine has the feature.
                move |samples, out| unsafe { work(octaves as u8, frequency as f32, samples, out) }
            }
        };
    }

    level!(sse2, sse2, "sse2", 4, _mm_loadu_ps, _mm_storeu_ps, _mm_set1_ps, _mm_mul_ps);
    level!(sse41, sse41, "sse4.1", 4, _mm_loadu_ps, _mm_storeu_ps, _mm_set1_ps, _mm_mul_ps);
    level!(avx2, avx2, "avx2", 8, _mm256_loadu_ps, _mm256_storeu_ps, _mm256_set1_ps, _mm256_mul_ps);
}
