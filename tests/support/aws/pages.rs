//! Lists in pages. The emulator gives most lists as a whole, and counts reservations where AWS counts
//! instances.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::answer::{Answer, Refusal};
use super::call::Call;
use super::xml;

/// A list that comes in pages.
#[derive(Debug, Clone, Copy)]
pub(super) struct List {
    service: &'static str,
    action: &'static str,
    /// Where its members are: in XML, one list in the other.
    members: &'static [&'static str],
    /// The parameter for the size of a page.
    size: &'static str,
    /// The parameter and the field for where the next page begins.
    token: &'static str,
    /// How many there are on a page if nothing is said, and at most.
    sizes: (usize, usize),
}

const fn ec2(action: &'static str, members: &'static [&'static str]) -> List {
    List {
        service: "ec2",
        action,
        members,
        size: "MaxResults",
        token: "NextToken",
        sizes: (1000, 1000),
    }
}

const fn ecs(
    action: &'static str,
    members: &'static [&'static str],
    sizes: (usize, usize),
) -> List {
    List {
        service: "ecs",
        action,
        members,
        size: "maxResults",
        token: "nextToken",
        sizes,
    }
}

const LISTS: [List; 17] = [
    ec2("DescribeInstances", &["reservationSet", "instancesSet"]),
    ec2("DescribeVolumes", &["volumeSet"]),
    ec2("DescribeNetworkInterfaces", &["networkInterfaceSet"]),
    ec2("DescribeSecurityGroups", &["securityGroupInfo"]),
    ec2("DescribeSubnets", &["subnetSet"]),
    ec2("DescribeVpcs", &["vpcSet"]),
    ec2("DescribeInternetGateways", &["internetGatewaySet"]),
    ec2("DescribeRouteTables", &["routeTableSet"]),
    ec2("DescribeTags", &["tagSet"]),
    ecs("ListClusters", &["clusterArns"], (100, 100)),
    ecs("ListTasks", &["taskArns"], (100, 100)),
    ecs("ListServices", &["serviceArns"], (10, 100)),
    ecs("ListTaskDefinitions", &["taskDefinitionArns"], (100, 100)),
    List {
        service: "ssm",
        action: "DescribeParameters",
        members: &["Parameters"],
        size: "MaxResults",
        token: "NextToken",
        sizes: (10, 50),
    },
    List {
        service: "ssm",
        action: "GetParametersByPath",
        members: &["Parameters"],
        size: "MaxResults",
        token: "NextToken",
        sizes: (10, 10),
    },
    List {
        service: "logs",
        action: "DescribeLogGroups",
        members: &["logGroups"],
        size: "limit",
        token: "nextToken",
        sizes: (50, 50),
    },
    List {
        service: "tagging",
        action: "GetResources",
        members: &["ResourceTagMappingList"],
        size: "ResourcesPerPage",
        token: "PaginationToken",
        sizes: (50, 100),
    },
];

/// How long pages are, and what is left of the lists that are under way.
#[derive(Debug, Default)]
pub struct Pages {
    /// No page is longer than this; without it, lists come as the emulator gives them.
    pub longest: Option<usize>,
    rest: HashMap<String, (Answer, usize)>,
    given: usize,
}

impl List {
    /// The list that a call asks for, if it comes in pages. What is named comes as a whole.
    pub(super) fn of(call: &Call) -> Option<Self> {
        let list = LISTS
            .iter()
            .find(|list| call.is(list.service, list.action))?;
        let names = [
            "InstanceId",
            "VolumeId",
            "NetworkInterfaceId",
            "GroupId",
            "SubnetId",
            "VpcId",
        ];
        let more = ["InternetGatewayId", "RouteTableId"];
        let named = names
            .iter()
            .chain(&more)
            .any(|name| !call.list(name).is_empty());
        (!named).then_some(*list)
    }

    /// What to ask the emulator for: the page that begins there, as long as it can be.
    pub(super) fn whole(&self, call: &Call, token: Option<&str>) -> Call {
        let mut whole = call.clone();
        whole.unset(self.size);
        whole.unset(self.token);
        if self.action == "DescribeInstances" {
            whole.set(self.size, "1000");
        }
        if let Some(token) = token {
            whole.set(self.token, token);
        }
        whole
    }

    /// Where the emulator would go on, if there is more than it gave.
    pub(super) fn next(&self, answer: &Answer) -> Option<String> {
        let token = if self.service == "ec2" {
            let document = xml::parse(answer.text());
            xml::text(document.root_element(), &["nextToken"]).map(str::to_owned)
        } else {
            let value: Value = serde_json::from_str(answer.text()).ok()?;
            value[self.token].as_str().map(str::to_owned)
        };
        token.filter(|token| !token.is_empty())
    }

    /// One answer out of two.
    pub(super) fn join(&self, first: &mut Answer, second: &Answer) {
        if self.service == "ec2" {
            let list = self.members[0];
            let inner = xml::inner(second.text(), list);
            first.body = xml::with_more(first.text(), list, &inner).into();
        } else {
            let mut value: Value = serde_json::from_str(first.text()).unwrap_or_default();
            let mut more: Value = serde_json::from_str(second.text()).unwrap_or_default();
            let list = self.members[0];
            if let (Some(list), Some(more)) =
                (value[list].as_array_mut(), more[list].as_array_mut())
            {
                list.append(more);
            }
            first.body = value.to_string().into();
        }
    }

    /// A part of the answer, and where the next one begins.
    fn part(&self, whole: &Answer, from: usize, size: usize, token: Option<&str>) -> Answer {
        let mut part = whole.clone();
        let within = |index: usize| (from..from + size).contains(&index);
        if self.service == "ec2" {
            let text = whole.text();
            let document = xml::parse(text);
            let mut ranges = xml::outside(document.root_element(), self.members, within);
            ranges.extend(xml::child_range(document.root_element(), "nextToken"));
            let kept = xml::without(text, ranges);
            part.body = match token {
                Some(token) => xml::with_child(&kept, "nextToken", token).into(),
                None => kept.into(),
            };
        } else {
            let mut value: Value = serde_json::from_str(whole.text()).unwrap_or_default();
            if let Some(list) = value[self.members[0]].as_array_mut() {
                let members = std::mem::take(list).into_iter().enumerate();
                *list = members
                    .filter(|(index, _)| within(*index))
                    .map(|(_, one)| one)
                    .collect();
            }
            value[self.token] = match (token, self.service) {
                (Some(token), _) => json!(token),
                (None, "tagging") => json!(""),
                (None, _) => Value::Null,
            };
            part.body = value.to_string().into();
        }
        part
    }

    fn len(&self, whole: &Answer) -> usize {
        if self.service == "ec2" {
            let document = xml::parse(whole.text());
            return xml::members(document.root_element(), self.members).len();
        }
        let value: Value = serde_json::from_str(whole.text()).unwrap_or_default();
        value[self.members[0]].as_array().map_or(0, Vec::len)
    }
}

impl Pages {
    /// The page that a call goes on with, if it goes on with one.
    pub(super) fn go_on(&mut self, list: &List, call: &Call) -> Result<Option<Answer>, Refusal> {
        let Some(token) = call.text(list.token).filter(|token| !token.is_empty()) else {
            return Ok(None);
        };
        let Some((whole, from)) = self.rest.get(token).cloned() else {
            let code = if list.service == "ec2" {
                "InvalidNextToken"
            } else {
                "InvalidParameterException"
            };
            return Err(Refusal::new(code, "The token is not valid"));
        };
        self.page(list, call, whole, from).map(Some)
    }

    /// The first page of a list that was just fetched.
    pub(super) fn begin(
        &mut self,
        list: &List,
        call: &Call,
        whole: Answer,
    ) -> Result<Answer, Refusal> {
        self.page(list, call, whole, 0)
    }

    fn page(
        &mut self,
        list: &List,
        call: &Call,
        whole: Answer,
        from: usize,
    ) -> Result<Answer, Refusal> {
        let (default, most) = list.sizes;
        let asked = call.number(list.size).map_or(default, |size| size as usize);
        if asked == 0 || asked > most {
            let code = if list.service == "ec2" {
                "InvalidParameterValue"
            } else {
                "InvalidParameterException"
            };
            return Err(Refusal::new(
                code,
                format!("{} is from 1 to {most}", list.size),
            ));
        }
        let size = asked.min(self.longest.unwrap_or(most));
        let more = list.len(&whole) > from + size;
        let token = more.then(|| {
            self.given += 1;
            format!("page-{}", self.given)
        });
        let part = list.part(&whole, from, size, token.as_deref());
        if let Some(token) = token {
            self.rest.insert(token, (whole, from + size));
        }
        Ok(part)
    }
}
