//! How large a task is: the sum of its containers, rounded up to a pair that Fargate has.

use serde::Serialize;

/// CPU units of a vCPU.
pub const UNITS_PER_CPU: u64 = 1024;
const MIB: u64 = 1024 * 1024;

/// What Fargate has for Linux, up to 16 vCPU: CPU units, the least memory, the most, and the step
/// between, in MiB (Amazon ECS developer guide, "Task CPU and memory", and RegisterTaskDefinition's
/// `memory` in the API reference). With the least CPU it has 512 MiB, 1 GiB and 2 GiB only.
const PAIRS: [(u32, u32, u32, u32); 7] = [
    (256, 512, 2_048, 512),
    (512, 1_024, 4_096, 1_024),
    (1_024, 2_048, 8_192, 1_024),
    (2_048, 4_096, 16_384, 1_024),
    (4_096, 8_192, 30_720, 1_024),
    (8_192, 16_384, 61_440, 4_096),
    (16_384, 32_768, 122_880, 8_192),
];

/// The size of a task: a pair that Fargate has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct TaskSize {
    /// CPU units, 1024 of which are a vCPU.
    pub cpu: u32,
    /// Memory in MiB.
    pub memory: u32,
}

impl TaskSize {
    /// The smallest pair with at least so many CPU units and MiB; none where Fargate has nothing so
    /// large.
    pub fn of(cpu: u64, memory: u64) -> Option<Self> {
        Self::all().find(|size| u64::from(size.cpu) >= cpu && u64::from(size.memory) >= memory)
    }

    /// Every pair, by CPU and then by memory. More CPU costs more than more memory, so the first
    /// that is enough is the cheapest.
    pub fn all() -> impl Iterator<Item = Self> {
        PAIRS.iter().flat_map(|&(cpu, least, most, step)| {
            (least..=most)
                .step_by(step as usize)
                .filter(move |memory| cpu != 256 || memory.is_power_of_two())
                .map(move |memory| Self { cpu, memory })
        })
    }

    /// Whether Fargate has tasks with that many CPU units.
    pub fn has_cpu(cpu: u32) -> bool {
        PAIRS.iter().any(|pair| pair.0 == cpu)
    }
}

/// CPU units of so many billionths of a CPU, rounded up.
pub fn cpu_units(nano_cpus: u64) -> u64 {
    let units = u128::from(nano_cpus) * u128::from(UNITS_PER_CPU);
    u64::try_from(units.div_ceil(1_000_000_000)).unwrap_or(u64::MAX)
}

/// MiB of so many bytes, rounded up.
pub fn mebibytes(bytes: u64) -> u64 {
    bytes.div_ceil(MIB)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_published_pair_is_there_and_no_other() {
        let of = |cpu| -> Vec<u32> {
            let those = TaskSize::all().filter(|size| size.cpu == cpu);
            those.map(|size| size.memory).collect()
        };
        assert_eq!(of(256), [512, 1024, 2048]);
        assert_eq!(of(512), [1024, 2048, 3072, 4096]);
        assert_eq!(of(1024), [2048, 3072, 4096, 5120, 6144, 7168, 8192]);
        assert_eq!(of(2048), (4..=16).map(|gib| gib * 1024).collect::<Vec<_>>());
        assert_eq!(of(4096), (8..=30).map(|gib| gib * 1024).collect::<Vec<_>>());
        let wide: Vec<u32> = (16..=60).step_by(4).map(|gib| gib * 1024).collect();
        assert_eq!(of(8192), wide);
        let widest: Vec<u32> = (32..=120).step_by(8).map(|gib| gib * 1024).collect();
        assert_eq!(of(16384), widest);
        assert_eq!(TaskSize::all().count(), 3 + 4 + 7 + 13 + 23 + 12 + 12);
    }

    #[test]
    fn a_sum_is_rounded_up_to_the_cheapest_pair_that_holds_it() {
        for ((cpu, memory), expected) in [
            ((1, 1), Some((256, 512))),
            ((256, 512), Some((256, 512))),
            ((256, 513), Some((256, 1024))),
            ((256, 1025), Some((256, 2048))),
            ((256, 2049), Some((512, 3072))),
            ((257, 1), Some((512, 1024))),
            ((1024, 2048), Some((1024, 2048))),
            ((1024, 8193), Some((2048, 9216))),
            ((2560, 704), Some((4096, 8192))),
            ((4096, 30_721), Some((8192, 32_768))),
            ((8192, 32_769), Some((8192, 36_864))),
            ((16_384, 122_880), Some((16_384, 122_880))),
            ((16_385, 1), None),
            ((1, 122_881), None),
        ] {
            let size = TaskSize::of(cpu, memory).map(|size| (size.cpu, size.memory));
            assert_eq!(size, expected, "{cpu} units, {memory} MiB");
        }
    }

    #[test]
    fn parts_count_as_wholes() {
        assert_eq!(cpu_units(1_000_000_000), 1024);
        assert_eq!(cpu_units(500_000_000), 512);
        assert_eq!(cpu_units(1), 1);
        assert_eq!(cpu_units(u64::MAX), 18_889_465_931_479);
        assert_eq!(mebibytes(64 * MIB), 64);
        assert_eq!(mebibytes(64 * MIB + 1), 65);
    }
}
