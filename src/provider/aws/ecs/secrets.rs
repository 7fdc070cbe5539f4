//! The secrets of seats as parameters: by their names, and never by their values.

use aws_sdk_ssm::types::{ParameterStringFilter, ParameterType, Tag as SsmTag};
use secrecy::{ExposeSecret as _, SecretString};

use crate::engine::{Failure, FailureClass};
use crate::model::seat::Owner;
use crate::model::{EnvironmentName, SeatNumber};
use crate::plan::Fingerprint;
use crate::provider::aws::limits::Action;
use crate::provider::aws::observe::{Detail, Thing};
use crate::provider::aws::scheme::{AwsKind, ParameterSpec};
use crate::provider::aws::tags;
use crate::provider::aws::{Session, names};
use crate::provider::labels::{ENVIRONMENT, Ownership};

/// What stands before the fingerprint in a parameter's description, which lists show without its
/// value.
const DESCRIPTION: &str = "Seatbox ";

/// The parameters of seats, of one environment or of all.
///
/// # Errors
/// A list that could not be read to its end.
pub async fn observe(
    session: &Session,
    environment: Option<&EnvironmentName>,
) -> Result<Vec<Thing>, Failure> {
    let environments = match environment {
        Some(name) => vec![name.clone()],
        None => environments(session).await?,
    };
    let mut things = Vec::new();
    for name in environments {
        things.extend(of(session, &name).await?);
    }
    Ok(things)
}

/// The environments that have parameters.
async fn environments(session: &Session) -> Result<Vec<EnvironmentName>, Failure> {
    let under = filter("Name", Some("BeginsWith"), names::PARAMETERS)?;
    let all = list(session, vec![under]).await?;
    let environment = |(name, _): &(String, String)| {
        name.strip_prefix(names::PARAMETERS)?
            .split('/')
            .next()?
            .parse()
            .ok()
    };
    let mut names: Vec<EnvironmentName> = all.iter().filter_map(environment).collect();
    names.sort();
    names.dedup();
    Ok(names)
}

/// Those of one environment that carry its tag.
async fn of(session: &Session, environment: &EnvironmentName) -> Result<Vec<Thing>, Failure> {
    let prefix = super::parameters::prefix(environment);
    let under = filter("Name", Some("BeginsWith"), &prefix)?;
    let own = filter(&format!("tag:{ENVIRONMENT}"), None, environment.as_str())?;
    let found = list(session, vec![under, own]).await?;
    let thing = |(name, description): (String, String)| {
        let (seat, _) = name.strip_prefix(&prefix)?.split_once('/')?;
        let seat: SeatNumber = seat.parse().ok()?;
        let print = description.strip_prefix(DESCRIPTION);
        Some(Thing {
            kind: AwsKind::Parameter,
            id: name.into(),
            ownership: Ownership {
                environment: environment.clone(),
                owner: Owner::Seat(seat),
                service: None,
                // The rest of the environment says it.
                expires: None,
                fingerprint: print.map(Fingerprint::from_label),
                key: None,
            },
            detail: Detail::None,
        })
    };
    Ok(found.into_iter().filter_map(thing).collect())
}

/// Names and descriptions.
async fn list(
    session: &Session,
    filters: Vec<ParameterStringFilter>,
) -> Result<Vec<(String, String)>, Failure> {
    let request = |token| {
        let request = session.ssm.describe_parameters();
        let request = request.set_parameter_filters(Some(filters.clone()));
        request.max_results(50).set_next_token(token).send()
    };
    session
        .pages(Action::ssm("DescribeParameters"), request, |page| {
            let found = page.parameters.unwrap_or_default().into_iter();
            let found = found.filter_map(|parameter| {
                Some((parameter.name?, parameter.description.unwrap_or_default()))
            });
            (found.collect(), page.next_token)
        })
        .await
}

fn filter(key: &str, option: Option<&str>, value: &str) -> Result<ParameterStringFilter, Failure> {
    let filter = ParameterStringFilter::builder().key(key).values(value);
    filter
        .set_option(option.map(str::to_owned))
        .build()
        .map_err(|error| {
            Failure::new(
                FailureClass::Invalid,
                "DescribeParameters",
                error.to_string(),
            )
        })
}

/// Puts a secret. One that was put before is the same, and is left.
///
/// # Errors
/// What AWS says.
pub async fn put(
    session: &Session,
    environment: &EnvironmentName,
    spec: &ParameterSpec,
    value: &SecretString,
) -> Result<(), Failure> {
    let print = spec.marks.fingerprint.as_str();
    let mut request = session
        .ssm
        .put_parameter()
        .name(&*spec.name)
        .description(format!("{DESCRIPTION}{print}"))
        .r#type(ParameterType::SecureString)
        .value(value.expose_secret())
        .overwrite(false);
    for (key, value) in tags::write(&spec.marks.ownership(environment)) {
        let tag = SsmTag::builder().key(key).value(value).build();
        request = request.tags(tag.map_err(|error| {
            Failure::new(FailureClass::Invalid, "PutParameter", error.to_string())
        })?);
    }
    match session
        .call(Action::ssm("PutParameter"), move || request.clone().send())
        .await
    {
        Err(failure) if failure.class == FailureClass::Conflict => {
            // Somebody's: an earlier attempt's, or another run's of the same environment.
            let known = of(session, environment).await?;
            let same = known.iter().any(|thing| {
                thing.id == spec.name
                    && thing.ownership.fingerprint.as_ref() == Some(&spec.marks.fingerprint)
            });
            if same { Ok(()) } else { Err(failure) }
        }
        result => result.map(|_| ()),
    }
}
