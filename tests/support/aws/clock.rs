//! AWS's clock, against which signatures are judged, and how long the caller's credentials last.

use http::HeaderValue;
use jiff::fmt::rfc2822::DateTimePrinter;
use jiff::{SignedDuration, Timestamp};

use super::answer::{Answer, Refusal};
use super::call::Call;

/// How far a signature's time may be off.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// AWS's clock, as far as it differs from this machine's.
#[derive(Debug, Default)]
pub struct Clock {
    /// Whether signatures are judged by it.
    pub judges: bool,
    /// How much further than this machine's it is.
    pub ahead: SignedDuration,
    /// When the caller's credentials end.
    pub credentials_end: Option<Timestamp>,
}

impl Clock {
    pub fn now(&self) -> Timestamp {
        Timestamp::now() + self.ahead
    }

    pub(super) fn check(&self, call: &Call) -> Result<(), Refusal> {
        let now = self.now();
        if self.judges
            && let Some(signed) = call.signed
        {
            let late = now.duration_since(signed);
            if late.abs() > TOLERANCE {
                return Err(skewed(call, signed, now));
            }
        }
        if self.credentials_end.is_some_and(|end| end <= now) {
            return Err(match &*call.service {
                "ec2" => Refusal::new("RequestExpired", "Request has expired."),
                "iam" | "sts" => Refusal::with_status(403, "ExpiredToken", EXPIRED),
                _ => Refusal::new("ExpiredTokenException", EXPIRED),
            });
        }
        Ok(())
    }

    /// An SDK learns from each answer what AWS's time is.
    pub(super) fn stamp(&self, answer: &mut Answer) {
        let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&self.now());
        let date = date.expect("this year can be written");
        let date = HeaderValue::from_str(&date).expect("a date is plain text");
        answer.headers.insert("date", date);
    }
}

const EXPIRED: &str = "The security token included in the request is expired";

fn skewed(call: &Call, signed: Timestamp, now: Timestamp) -> Refusal {
    let basic = |time: Timestamp| time.strftime("%Y%m%dT%H%M%SZ").to_string();
    let (signed_text, now_text) = (basic(signed), basic(now));
    let expired = signed < now;
    match &*call.service {
        "ec2" if expired => Refusal::new("RequestExpired", "Request has expired."),
        "ec2" => Refusal::with_status(
            401,
            "AuthFailure",
            "AWS was not able to validate the provided access credentials",
        ),
        service => {
            let message = if expired {
                let limit = basic(now - TOLERANCE);
                format!(
                    "Signature expired: {signed_text} is now earlier than {limit} \
                     ({now_text} - 5 min.)"
                )
            } else {
                let limit = basic(now + TOLERANCE);
                format!(
                    "Signature not yet current: {signed_text} is still later than {limit} \
                     ({now_text} + 5 min.)"
                )
            };
            if matches!(service, "iam" | "sts") {
                Refusal::with_status(403, "SignatureDoesNotMatch", message)
            } else {
                Refusal::new("InvalidSignatureException", message)
            }
        }
    }
}
