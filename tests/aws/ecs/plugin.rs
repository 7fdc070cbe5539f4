//! A stand-in for AWS's Session Manager plugin, on an event's own PATH.

use std::fs;

use serde_json::Value;

use crate::aws::ec2::lab::Lab;
use crate::aws::guest::instance::make_executable;
use crate::support::aws::emulator::python;

const SCRIPT: &str = include_str!("plugin.py");

/// Puts it where the program finds it.
pub fn install(lab: &Lab) {
    let text = format!("#!{}\n{SCRIPT}", python().display());
    make_executable(&lab.desk.write("bin/session-manager-plugin", text));
}

/// Has it be otherwise than usual.
pub fn set(lab: &Lab, name: &str, value: &str) {
    lab.desk.write(&format!("bin/{name}"), value);
}

/// The sessions that it was given: its arguments, and the response in which the session is.
pub fn sessions(lab: &Lab) -> Vec<(Vec<String>, Value)> {
    let text = fs::read_to_string(lab.desk.path("bin/sessions")).unwrap_or_default();
    let session = |line: &str| {
        let session: Value = serde_json::from_str(line).unwrap();
        let arguments = session["arguments"].as_array().unwrap().iter();
        let arguments = arguments.map(|argument| argument.as_str().unwrap().to_owned());
        let response = session["response"].as_str().unwrap();
        (arguments.collect(), serde_json::from_str(response).unwrap())
    };
    text.lines().map(session).collect()
}
