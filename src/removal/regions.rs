//! One certificate for removals in several regions.

use std::collections::HashSet;
use std::sync::Arc;

use super::{CLEAN_LOOKS, Certificate, LookAgain, SecondLook, Seen, Thing};
use crate::engine::Failure;

/// The certificates of several regions as one, which is clean where each is and no region is missing;
/// `None` where no region answered. Each thing says in which it is, or was.
pub fn together(regions: Vec<(Arc<str>, Result<Certificate, Failure>)>) -> Option<Certificate> {
    let mut all: Option<Certificate> = None;
    let mut unseen = Vec::new();
    for (region, result) in regions {
        match result {
            Ok(mut certificate) => {
                locate(&mut certificate, &region);
                all = Some(match all {
                    Some(all) => both(all, certificate),
                    None => certificate,
                });
            }
            Err(failure) => unseen.push((region, failure)),
        }
    }
    all.map(|all| Certificate { unseen, ..all })
}

fn locate(certificate: &mut Certificate, region: &Arc<str>) {
    let Certificate {
        found,
        deleted,
        failed,
        kept,
        ..
    } = certificate;
    let failed = failed.iter_mut().map(|(thing, _)| thing);
    let kept = kept.iter_mut().map(|(thing, _)| thing);
    let things = found.iter_mut().chain(deleted).chain(failed).chain(kept);
    things.for_each(|thing: &mut Thing| thing.region = Some(Arc::clone(region)));
}

fn both(mut one: Certificate, other: Certificate) -> Certificate {
    let known: HashSet<_> = one.environments.iter().cloned().collect();
    let new = other.environments.into_iter();
    one.environments
        .extend(new.filter(|name| !known.contains(name)));
    one.found.extend(other.found);
    one.deleted.extend(other.deleted);
    one.failed.extend(other.failed);
    one.kept.extend(other.kept);
    one.looks = looks(&one.looks, &other.looks);
    one.second = match (one.second, other.second) {
        (Some(one), Some(other)) => Some(second(one, other)),
        // A look that one region did not come to was not made everywhere.
        _ => None,
    };
    one.started = one.started.min(other.started);
    one.finished = one.finished.max(other.finished);
    one
}

/// The looks that all regions have, from the last one back: the last ones say what is left. What a
/// longer row begins with stands first.
fn looks(one: &[LookAgain], other: &[LookAgain]) -> Vec<LookAgain> {
    // A region without its looks leaves the others' worth nothing.
    if one.len() < CLEAN_LOOKS || other.len() < CLEAN_LOOKS {
        let shorter = if one.len() < other.len() { one } else { other };
        return shorter.to_vec();
    }
    let (longer, shorter) = match one.len() < other.len() {
        true => (other, one),
        false => (one, other),
    };
    let (first, last) = longer.split_at(longer.len() - shorter.len());
    let joined = last.iter().zip(shorter).map(|(one, other)| LookAgain {
        at: one.at.max(other.at),
        found: one.found + other.found,
    });
    first.iter().copied().chain(joined).collect()
}

fn second(one: SecondLook, other: SecondLook) -> SecondLook {
    let at = one.at.max(other.at);
    let seen = match (one.seen, other.seen) {
        (Ok(one), Ok(other)) => Ok(Seen {
            listed: one.listed + other.listed,
            left: one.left + other.left,
        }),
        // Of two failures that counts which is no matter of rights.
        (Err(one), Err(other)) => Err(match one.class {
            crate::engine::FailureClass::Denied => other,
            _ => one,
        }),
        (Ok(seen), Err(failure)) | (Err(failure), Ok(seen)) if seen.left == 0 => Err(failure),
        (Ok(seen), Err(_)) | (Err(_), Ok(seen)) => Ok(seen),
    };
    SecondLook { at, seen }
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::*;
    use crate::engine::FailureClass;
    use crate::removal::Scope;

    fn at(second: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second)
    }

    fn thing(name: &str) -> Thing {
        Thing {
            environment: "lab".parse().unwrap(),
            seat: None,
            region: None,
            kind: "VPC".to_owned(),
            name: name.to_owned(),
            id: name.into(),
        }
    }

    fn certificate(name: &str, looks: &[usize]) -> Certificate {
        let looks = looks.iter().zip(2..);
        Certificate {
            environments: vec!["lab".parse().unwrap()],
            scope: Scope::Expired,
            found: vec![thing(name)],
            deleted: vec![thing(name)],
            failed: Vec::new(),
            kept: Vec::new(),
            looks: looks
                .map(|(found, second)| LookAgain {
                    at: at(second),
                    found: *found,
                })
                .collect(),
            second: Some(SecondLook {
                at: at(9),
                seen: Ok(Seen { listed: 1, left: 0 }),
            }),
            unseen: Vec::new(),
            started: at(1),
            finished: at(10),
        }
    }

    fn regions<const N: usize>(
        certificates: [(&str, Result<Certificate, Failure>); N],
    ) -> Option<Certificate> {
        let named = certificates.into_iter();
        together(named.map(|(name, of)| (name.into(), of)).collect())
    }

    fn silent() -> Failure {
        Failure::new(FailureClass::Unreachable, "ask AWS who this is", "silence")
    }

    #[test]
    fn each_thing_says_where_it_was_and_all_is_clean_where_each_is() {
        let all = regions([
            ("eu-west-1", Ok(certificate("a", &[2, 0, 0]))),
            ("us-east-1", Ok(certificate("b", &[0, 0]))),
        ]);
        let all = all.unwrap();
        assert!(all.is_clean());
        let places: Vec<_> = all
            .found
            .iter()
            .map(|thing| thing.region.as_deref())
            .collect();
        assert_eq!(places, [Some("eu-west-1"), Some("us-east-1")]);
        let found: Vec<usize> = all.looks.iter().map(|look| look.found).collect();
        assert_eq!(found, [2, 0, 0]);
        assert_eq!(all.second.unwrap().seen, Ok(Seen { listed: 2, left: 0 }));
        assert_eq!(all.environments.len(), 1);
    }

    #[test]
    fn what_is_left_in_one_region_is_left() {
        let left = certificate("b", &[1, 1]);
        let clean = certificate("a", &[0, 0]);
        for both in [
            [("a", Ok(clean.clone())), ("b", Ok(left.clone()))],
            [("b", Ok(left.clone())), ("a", Ok(clean.clone()))],
        ] {
            assert!(!regions(both).unwrap().is_clean());
        }
        let mut seen = clean.clone();
        seen.second = Some(SecondLook {
            at: at(9),
            seen: Ok(Seen { listed: 1, left: 1 }),
        });
        let mut denied = clean;
        denied.second = Some(SecondLook {
            at: at(9),
            seen: Err(Failure::new(FailureClass::Denied, "GetResources", "no")),
        });
        assert!(regions([("a", Ok(denied.clone()))]).unwrap().is_clean());
        assert!(
            !regions([("a", Ok(denied)), ("b", Ok(seen))])
                .unwrap()
                .is_clean()
        );
    }

    #[test]
    fn a_region_that_did_not_answer_or_was_not_looked_at_again_leaves_it_open() {
        let clean = || certificate("a", &[0, 0]);
        let all = regions([("a", Ok(clean())), ("b", Err(silent()))]).unwrap();
        assert!(!all.is_clean());
        assert_eq!(&*all.unseen[0].0, "b");
        let half = certificate("b", &[0]);
        assert!(
            !regions([("a", Ok(clean())), ("b", Ok(half))])
                .unwrap()
                .is_clean()
        );
        assert_eq!(regions([("b", Err(silent()))]), None);
    }
}
