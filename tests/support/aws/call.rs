//! What a call to AWS is, in whichever of its forms it comes.

use http::{HeaderMap, HeaderValue, Method, Uri};
use hyper::body::Bytes;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::client::target;

/// One call as it arrives.
#[derive(Debug, Clone)]
pub struct Call {
    /// As signatures name it: `ec2`, `ecs`, `iam`, `ssm`, `logs`, `tagging`, …
    pub service: String,
    pub region: String,
    pub access_key: String,
    /// As AWS's reference names it, `RunInstances`.
    pub action: String,
    /// When it was signed.
    pub signed: Option<Timestamp>,
    pub parameters: Parameters,
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
}

/// What a call asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Parameters {
    /// EC2, IAM, STS: pairs, `SubnetId`, `InstanceId.1`.
    Form(Vec<(String, String)>),
    /// ECS and most others.
    Json(Value),
    /// Anything else, which is passed on as it is.
    Other(Bytes),
}

impl Call {
    pub fn read(method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Self {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let scope = header("authorization").and_then(|text| text.split_once("Credential="));
        let scope = scope.map_or("", |(_, rest)| rest.split(',').next().unwrap_or(rest));
        let scope: Vec<&str> = scope.split('/').collect();
        let part = |index: usize| scope.get(index).copied().unwrap_or_default().to_owned();
        let kind = header("content-type").unwrap_or_default();
        let (action, parameters) = if let Some(target) = header("x-amz-target") {
            let action = target.rsplit('.').next().unwrap_or(target);
            let value = serde_json::from_slice(&body).unwrap_or(Value::Null);
            (action.to_owned(), Parameters::Json(value))
        } else if kind.starts_with("application/x-www-form-urlencoded") {
            let pairs: Vec<(String, String)> = form_urlencoded::parse(&body).into_owned().collect();
            let action = pairs.iter().find(|(name, _)| name == "Action");
            let action = action.map(|(_, action)| action.clone()).unwrap_or_default();
            (action, Parameters::Form(pairs))
        } else {
            (format!("{method} {}", uri.path()), Parameters::Other(body))
        };
        let signed = header("x-amz-date").and_then(|date| {
            let date = DateTime::strptime("%Y%m%dT%H%M%SZ", date).ok()?;
            Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp())
        });
        Self {
            service: part(3),
            region: part(2),
            access_key: part(0),
            action,
            signed,
            parameters,
            method,
            uri,
            headers,
        }
    }

    /// The action, with its service where it is not unmistakable.
    pub fn is(&self, service: &str, action: &str) -> bool {
        self.service == service && self.action == action
    }

    /// The value of a parameter, of a form or at the top of JSON.
    pub fn text(&self, name: &str) -> Option<&str> {
        match &self.parameters {
            Parameters::Form(pairs) => {
                let pair = pairs.iter().find(|(key, _)| key == name);
                pair.map(|(_, value)| value.as_str())
            }
            Parameters::Json(value) => value[name].as_str(),
            Parameters::Other(_) => None,
        }
    }

    /// The values of `name.1`, `name.2`, … of a form, or of a list at the top of JSON.
    pub fn list(&self, name: &str) -> Vec<&str> {
        match &self.parameters {
            Parameters::Form(pairs) => {
                let member = |key: &str| {
                    let number = key
                        .strip_prefix(name)
                        .and_then(|rest| rest.strip_prefix('.'));
                    number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
                };
                let members = pairs.iter().filter(|(key, _)| member(key));
                members.map(|(_, value)| value.as_str()).collect()
            }
            Parameters::Json(value) => {
                let members = value[name].as_array().into_iter().flatten();
                members.filter_map(Value::as_str).collect()
            }
            Parameters::Other(_) => Vec::new(),
        }
    }

    /// A number, which a form has as text.
    pub fn number(&self, name: &str) -> Option<u64> {
        match &self.parameters {
            Parameters::Json(value) => value[name].as_u64(),
            _ => self.text(name)?.parse().ok(),
        }
    }

    /// What JSON asks for; nothing for other forms.
    pub fn json(&self) -> &Value {
        match &self.parameters {
            Parameters::Json(value) => value,
            _ => &Value::Null,
        }
    }

    /// Sets a parameter at the top, for what is passed on.
    pub fn set(&mut self, name: &str, value: &str) {
        match &mut self.parameters {
            Parameters::Form(pairs) => {
                pairs.retain(|(key, _)| key != name);
                pairs.push((name.to_owned(), value.to_owned()));
            }
            Parameters::Json(json) => json[name] = value.into(),
            Parameters::Other(_) => {}
        }
    }

    /// Sets a number at the top.
    pub fn set_number(&mut self, name: &str, value: u64) {
        match &mut self.parameters {
            Parameters::Json(json) => json[name] = value.into(),
            _ => self.set(name, &value.to_string()),
        }
    }

    /// Takes a parameter at the top away.
    pub fn unset(&mut self, name: &str) {
        match &mut self.parameters {
            Parameters::Form(pairs) => pairs.retain(|(key, _)| key != name),
            Parameters::Json(Value::Object(map)) => drop(map.shift_remove(name)),
            Parameters::Json(_) | Parameters::Other(_) => {}
        }
    }

    /// Sets all of what JSON asks for.
    pub fn set_json(&mut self, value: Value) {
        self.parameters = Parameters::Json(value);
    }

    /// Another call of the same caller in the same region.
    pub(super) fn instead(&self, service: &str, action: &str, parameters: Parameters) -> Self {
        let mut headers = HeaderMap::new();
        let mut set = |name: &'static str, value: &str| {
            let value = HeaderValue::from_str(value).expect("a header is plain text");
            headers.insert(name, value);
        };
        let scope = format!("{}/20260101/{}/{service}", self.access_key, self.region);
        let signed = "SignedHeaders=host, Signature=none";
        set(
            "authorization",
            &format!("AWS4-HMAC-SHA256 Credential={scope}/aws4_request, {signed}"),
        );
        if matches!(parameters, Parameters::Json(_)) {
            set("content-type", "application/x-amz-json-1.1");
            set("x-amz-target", &target(service, action));
        } else {
            set("content-type", "application/x-www-form-urlencoded");
        }
        Self {
            service: service.to_owned(),
            action: action.to_owned(),
            parameters,
            headers,
            ..self.clone()
        }
    }

    /// All texts among the parameters, wherever they are: whatever it names is among them.
    pub fn texts(&self) -> Vec<&str> {
        match &self.parameters {
            Parameters::Form(pairs) => pairs.iter().map(|(_, value)| value.as_str()).collect(),
            Parameters::Json(value) => {
                let mut texts = Vec::new();
                collect(value, &mut texts);
                texts
            }
            Parameters::Other(_) => Vec::new(),
        }
    }

    /// The body to pass on.
    pub fn body(&self) -> Bytes {
        match &self.parameters {
            Parameters::Form(pairs) => {
                let mut form = form_urlencoded::Serializer::new(String::new());
                form.extend_pairs(pairs).finish().into()
            }
            Parameters::Json(value) => value.to_string().into(),
            Parameters::Other(body) => body.clone(),
        }
    }
}

fn collect<'a>(value: &'a Value, texts: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => texts.push(text),
        Value::Array(values) => values.iter().for_each(|value| collect(value, texts)),
        Value::Object(map) => map.values().for_each(|value| collect(value, texts)),
        _ => {}
    }
}
