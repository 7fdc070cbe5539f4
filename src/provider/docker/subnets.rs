//! Planning seats' networks: one small subnet each, out of a range of the environment's choice.
//!
//! Left to itself the engine takes whole /16 and /20 blocks and ends near 30 networks
//! (moby/moby#29239).

use ipnet::Ipv4Net;

/// Hands out subnets of one size from a range, past what is taken.
#[derive(Debug)]
pub struct Subnets {
    range: Ipv4Net,
    prefix: u8,
    /// Taken ranges, by first address, not overlapping.
    taken: Vec<(u32, u32)>,
}

impl Subnets {
    /// Subnets of `prefix` bits out of `range`, none of which overlaps any of `taken`.
    pub fn new(range: Ipv4Net, prefix: u8, taken: impl IntoIterator<Item = Ipv4Net>) -> Self {
        let mut spans: Vec<(u32, u32)> = taken
            .into_iter()
            // A default route covers everything and takes nothing.
            .filter(|net| net.prefix_len() > 0)
            .map(|net| (u32::from(net.network()), u32::from(net.broadcast())))
            .collect();
        spans.sort_unstable();
        let mut taken: Vec<(u32, u32)> = Vec::with_capacity(spans.len());
        for (first, last) in spans {
            match taken.last_mut() {
                Some((_, end)) if first <= *end => *end = (*end).max(last),
                _ => taken.push((first, last)),
            }
        }
        Self {
            range,
            prefix,
            taken,
        }
    }

    /// The subnet at `preferred` (counted in subnets from the range's begin), or else the next
    /// free one after it, going round at the range's end. It is taken from then on. `None` where
    /// none is free.
    pub fn take(&mut self, preferred: usize) -> Option<Ipv4Net> {
        let size = 1u32 << (32 - self.prefix);
        let count = 1usize << self.prefix.checked_sub(self.range.prefix_len())?;
        let base = u32::from(self.range.network());
        let mut index = preferred % count;
        let mut tried = 0;
        while tried < count {
            let first = base + u32::try_from(index).ok()? * size;
            let last = first + (size - 1);
            let place = self.taken.partition_point(|&(_, end)| end < first);
            match self.taken.get(place) {
                Some(&(begin, end)) if begin <= last => {
                    // Past the taken range in one go: it may be a /8.
                    let past =
                        ((u64::from(end) + 1 - u64::from(base)).div_ceil(u64::from(size))) as usize;
                    tried += past.saturating_sub(index).max(1);
                    index = if past >= count { 0 } else { past };
                }
                _ => {
                    self.taken.insert(place, (first, last));
                    return Ipv4Net::new(first.into(), self.prefix).ok();
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(text: &str) -> Ipv4Net {
        text.parse().unwrap()
    }

    #[test]
    fn each_seat_gets_the_subnet_of_its_place() {
        let mut subnets = Subnets::new(net("10.213.0.0/16"), 27, []);
        assert_eq!(subnets.take(0), Some(net("10.213.0.0/27")));
        assert_eq!(subnets.take(22), Some(net("10.213.2.192/27")));
    }

    #[test]
    fn a_subnet_that_overlaps_a_route_or_a_network_is_passed_over() {
        let taken = [
            net("10.213.0.32/28"),
            net("0.0.0.0/0"),
            net("10.213.0.64/26"),
        ];
        let mut subnets = Subnets::new(net("10.213.0.0/16"), 27, taken);
        assert_eq!(subnets.take(1), Some(net("10.213.0.128/27")));
        assert_eq!(subnets.take(1), Some(net("10.213.0.160/27")));
    }

    #[test]
    fn the_search_goes_round_at_the_end_and_stops_when_nothing_is_free() {
        let mut subnets = Subnets::new(net("10.213.0.0/26"), 27, []);
        assert_eq!(subnets.take(1), Some(net("10.213.0.32/27")));
        assert_eq!(subnets.take(1), Some(net("10.213.0.0/27")));
        assert_eq!(subnets.take(1), None);
    }

    #[test]
    fn a_range_inside_somebody_elses_network_has_nothing_free() {
        let mut subnets = Subnets::new(net("10.213.0.0/16"), 27, [net("10.0.0.0/8")]);
        assert_eq!(subnets.take(5), None);
    }

    #[test]
    fn two_hundred_seats_of_four_networks_fit_the_default_range() {
        let mut subnets = Subnets::new(net("10.213.0.0/16"), 27, [net("172.17.0.0/16")]);
        let given: std::collections::BTreeSet<Ipv4Net> =
            (0..800).map(|index| subnets.take(index).unwrap()).collect();
        assert_eq!(given.len(), 800);
    }
}
