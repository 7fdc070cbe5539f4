//! Our tags on AWS: the labels of [`crate::provider::labels`], and those by which a call that makes
//! many seats at once says which is whose.

use crate::model::seat::Owner;
use crate::model::{EnvironmentName, SeatNumber};
use crate::provider::labels::{ENVIRONMENT, Ownership, SEAT};

/// The seats of one launch, in the order of their launch indices, which is ascending: `1-20,23`.
pub const SEATS: &str = "dev.seatbox.seats";
/// The client token of the launch.
pub const LAUNCH: &str = "dev.seatbox.launch";
/// What runs in an instance: the fingerprint of the stack that was brought up there.
pub const STACK: &str = "dev.seatbox.stack";
/// What that says instead, once the stack is to go.
pub const GOING: &str = "going";
/// The name that consoles show.
pub const NAME: &str = "Name";

/// A tag's name and value.
pub type Tag = (String, String);

/// What our tags say of a resource; of a launch's, whose place in it is `index`.
pub fn read(tags: &[Tag], index: Option<usize>) -> Option<Ownership> {
    let value = |name: &str| find(tags, name);
    let seat = index.and_then(|index| seats(value(SEATS)?).nth(index));
    let seat = seat.map(|seat| seat.to_string());
    Ownership::read(|name| match (name, seat.as_deref()) {
        (SEAT, Some(seat)) => Some(seat),
        // Of a launch, without a place in it: whatever belongs to all of its seats.
        (SEAT, None) => value(SEAT).or(value(SEATS).map(|_| "shared")),
        _ => value(name),
    })
}

/// The value of the tag of that name.
pub fn find<'a>(tags: &'a [Tag], name: &str) -> Option<&'a str> {
    let tag = tags.iter().find(|(key, _)| key == name)?;
    Some(&tag.1)
}

fn seats(text: &str) -> impl Iterator<Item = u32> {
    text.split(',').flat_map(|part| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let range = first.parse().ok().zip(last.parse().ok());
        range.into_iter().flat_map(|(first, last)| first..=last)
    })
}

/// The value of [`SEATS`] for these seats, which ascend.
pub fn seats_value(seats: &[SeatNumber]) -> String {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for seat in seats.iter().map(|seat| seat.get()) {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == seat => *last = seat,
            _ => ranges.push((seat, seat)),
        }
    }
    let text = ranges.iter().map(|(first, last)| match last - first {
        0 => first.to_string(),
        _ => format!("{first}-{last}"),
    });
    text.collect::<Vec<String>>().join(",")
}

/// The tags of something that belongs to `owner`.
pub fn write(ownership: &Ownership) -> Vec<Tag> {
    let name = match ownership.owner {
        Owner::Shared => ownership.environment.to_string(),
        Owner::Seat(seat) => format!("{}-{seat}", ownership.environment),
    };
    let mut tags: Vec<Tag> = ownership.write().collect();
    tags.push((NAME.to_owned(), name));
    tags
}

/// The name of the filter for everything of one environment, and its value.
pub fn of(environment: Option<&EnvironmentName>) -> (String, String) {
    match environment {
        Some(name) => (format!("tag:{ENVIRONMENT}"), name.to_string()),
        None => ("tag-key".to_owned(), ENVIRONMENT.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(pairs: &[(&str, &str)]) -> Vec<Tag> {
        let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        pairs.iter().map(own).collect()
    }

    #[test]
    fn a_member_of_a_launch_is_the_seat_at_its_place() {
        let tags = tags(&[(ENVIRONMENT, "go"), (SEATS, "3,7-8")]);
        let owner = |index| read(&tags, index).map(|ownership| ownership.owner);
        assert_eq!(
            owner(Some(1)),
            Some(Owner::Seat(SeatNumber::new(7).unwrap()))
        );
        assert_eq!(owner(None), Some(Owner::Shared));
        assert_eq!(owner(Some(3)), Some(Owner::Shared));
    }

    #[test]
    fn the_seats_of_a_launch_are_written_as_they_are_read() {
        for list in [vec![1], vec![1, 2, 3, 7, 9, 10], (1..=100).collect()] {
            let numbers: Vec<SeatNumber> =
                list.iter().filter_map(|n| SeatNumber::new(*n)).collect();
            let text = seats_value(&numbers);
            assert_eq!(seats(&text).collect::<Vec<u32>>(), list, "{text}");
        }
        assert_eq!(seats("x,3-,2").collect::<Vec<u32>>(), [2]);
    }

    #[test]
    fn what_lacks_one_of_our_tags_is_not_ours() {
        assert_eq!(read(&tags(&[(ENVIRONMENT, "go")]), None), None);
        assert_eq!(read(&tags(&[(SEAT, "3")]), None), None);
    }
}
