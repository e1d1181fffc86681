//! Compiling one piece of plain Rust for several instruction sets, and choosing at run time.

// The one place of this crate that needs it: a function compiled for more than the baseline may only be called
// where the machine has more, which the compiler cannot see.
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicU8, Ordering};

/// What the machine can do beyond its baseline. Which one is used changes the speed and never a bit of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum InstructionSet {
    /// What every machine of the target has: SSE2 on x86-64, NEON on aarch64, plain WebAssembly.
    Baseline = 1,
    /// x86-64 with AVX2: eight lanes.
    Avx2 = 2,
    /// x86-64 with AVX-512 F, BW, DQ and VL: sixteen lanes.
    Avx512 = 3,
}

/// Work to be compiled for every instruction set.
///
/// Mark [`run`](Self::run) and all it calls in inner loops `#[inline(always)]`: what is not inlined into the compiled
/// variants stays at the baseline.
pub trait Task {
    /// What the work gives.
    type Output;

    /// Does the work.
    fn run(self) -> Self::Output;
}

/// The set in use; 0 before anybody has asked.
static CURRENT: AtomicU8 = AtomicU8::new(0);

impl InstructionSet {
    /// All of them, the least first.
    pub const ALL: [Self; 3] = [Self::Baseline, Self::Avx2, Self::Avx512];

    /// Whether this machine has it.
    pub fn is_available(self) -> bool {
        match self {
            Self::Baseline => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => is_x86_feature_detected!("avx2"),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => {
                is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
            }
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx2 | Self::Avx512 => false,
        }
    }

    /// Those that this machine has, the least first.
    pub fn available() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|set| set.is_available())
    }

    /// The set in use: the best of this machine, unless another was [forced](Self::force).
    pub fn current() -> Self {
        match CURRENT.load(Ordering::Relaxed) {
            1 => Self::Baseline,
            2 => Self::Avx2,
            3 => Self::Avx512,
            _ => {
                let best = Self::available().last().unwrap_or(Self::Baseline);
                CURRENT.store(best as u8, Ordering::Relaxed);
                best
            }
        }
    }

    /// Makes all threads use a certain set from now on. For measuring and for tests.
    ///
    /// # Panics
    /// If this machine does not have it.
    pub fn force(self) {
        assert!(self.is_available(), "this machine has no {self:?}");
        CURRENT.store(self as u8, Ordering::Relaxed);
    }

    /// Does a piece of work as compiled for this set.
    ///
    /// # Panics
    /// If this machine does not have it.
    pub fn run<T: Task>(self, task: T) -> T::Output {
        assert!(self.is_available(), "this machine has no {self:?}");
        match self {
            // SAFETY: the machine has AVX2, as was just asked.
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => unsafe { x86::avx2(task) },
            // SAFETY: the machine has the four parts of AVX-512 that are named there, as was just asked.
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => unsafe { x86::avx512(task) },
            _ => task.run(),
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::Task;

    #[target_feature(enable = "avx2")]
    pub(super) fn avx2<T: Task>(task: T) -> T::Output {
        task.run()
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
    pub(super) fn avx512<T: Task>(task: T) -> T::Output {
        task.run()
    }
}
