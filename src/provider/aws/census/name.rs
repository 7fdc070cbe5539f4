//! ARNs, taken apart.

/// An ARN's parts: `arn:aws:ec2:REGION:ACCOUNT:snapshot/snap-1`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Name<'a> {
    /// `ec2`
    pub service: &'a str,
    /// `snapshot`; nothing where there is but one kind.
    pub kind: &'a str,
    /// `snap-1`
    pub id: &'a str,
}

impl<'a> Name<'a> {
    /// What an ARN says.
    pub fn of(arn: &'a str) -> Self {
        let mut parts = arn.splitn(6, ':').skip(2);
        let service = parts.next().unwrap_or_default();
        let resource = parts.nth(2).unwrap_or_default();
        let (kind, id) = resource.split_once(['/', ':']).unwrap_or(("", resource));
        Self { service, kind, id }
    }

    /// In words.
    pub fn kind(&self) -> String {
        match (self.service, self.kind) {
            ("ec2", kind) => kind.to_owned(),
            (service, "") => service.to_owned(),
            (service, kind) => format!("{service} {kind}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_all_services_are_taken_apart() {
        for (arn, service, kind, id, words) in [
            (
                "arn:aws:ec2:eu-central-1:1:snapshot/snap-1",
                "ec2",
                "snapshot",
                "snap-1",
                "snapshot",
            ),
            (
                "arn:aws-cn:ssm:cn-north-1:1:parameter/seatbox/t/claim",
                "ssm",
                "parameter",
                "seatbox/t/claim",
                "ssm parameter",
            ),
            (
                "arn:aws:logs:r:1:log-group:/seatbox/t",
                "logs",
                "log-group",
                "/seatbox/t",
                "logs log-group",
            ),
            ("arn:aws:s3:::bucket", "s3", "", "bucket", "s3"),
            ("nonsense", "", "", "", ""),
        ] {
            let name = Name::of(arn);
            assert_eq!(name, Name { service, kind, id }, "{arn}");
            assert_eq!(name.kind(), words);
        }
    }
}
