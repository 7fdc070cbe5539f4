//! What environment files say of AWS, good and bad.

use super::tests::Fixture;
use crate::model::aws::Ec2Mirrors;

#[test]
fn an_instance_installs_from_the_mirrors_that_are_named() {
    let fixture = Fixture::new();
    let mirrors = |more: &str| fixture.with(more).unwrap().environment.ec2.mirrors;
    assert_eq!(mirrors(""), Ec2Mirrors::default());
    let all = mirrors(
        "ec2: {mirrors: {apt: 'http://m.example:8080/ubuntu/', go: 'https://m.example/go', \
         goproxy: 'https://p.example|https://q.example,direct'}}\n",
    );
    assert_eq!(all.apt.as_deref(), Some("http://m.example:8080/ubuntu/"));
    assert_eq!(all.go.as_deref(), Some("https://m.example/go"));
    let list = "https://p.example|https://q.example,direct";
    assert_eq!(all.goproxy.as_deref(), Some(list));
}

#[test]
fn what_is_no_mirror_is_said_with_its_field() {
    let fixture = Fixture::new();
    for wrong in [
        "m.example",
        "ftp://m.example",
        "https://",
        "https:///ubuntu",
        "https://me:pw@m.example",
        "https://m.example/$(id)",
        "https://m.example/a b",
        "https://m.example?a=b",
        "",
    ] {
        for field in ["apt", "go", "goproxy"] {
            let problems = fixture.problems(&format!("ec2: {{mirrors: {{{field}: '{wrong}'}}}}\n"));
            assert_eq!(problems.len(), 1, "{field} {wrong}: {problems:?}");
            assert!(problems[0].contains("not the address of a mirror"));
        }
    }
    for wrong in [
        "https://p.example,",
        "direct;off",
        "https://p.example direct",
    ] {
        let problems = fixture.problems(&format!("ec2: {{mirrors: {{goproxy: '{wrong}'}}}}\n"));
        assert_eq!(problems.len(), 1, "{wrong}: {problems:?}");
    }
}
