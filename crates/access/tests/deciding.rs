//! Whatever roles, scopes, labels and calls there are: nobody may do more than their role and their
//! scope say.

#![expect(clippy::unwrap_used, reason = "what a test makes is right")]

use std::time::Duration;

use fulcrum_access::{
    AccessList, Allowance, Allowances, Identity, Labels, RPCS, Record, Refusal, Role, Rpc, Scope,
    Scoped, fingerprint, permit, rpc, subject,
};
use proptest::prelude::*;
use time::OffsetDateTime;

fn role() -> impl Strategy<Value = Role> {
    prop::sample::select(Role::ALL.to_vec())
}

/// Few names and values, so that they often meet.
fn labels(most: usize) -> impl Strategy<Value = Labels> {
    prop::collection::btree_map("site|kind|rack", "oslo|bergen|a\\.b-c_d/e", 0..=most)
}

fn identity() -> impl Strategy<Value = Identity> {
    ("[a-z][a-zA-Z0-9._-]{0,20}", role(), labels(3)).prop_map(|(name, role, labels)| {
        Identity::new(&name, role, Scope::of(labels).unwrap()).unwrap()
    })
}

fn any_rpc() -> impl Strategy<Value = &'static Rpc> {
    prop::sample::select(RPCS.iter().collect::<Vec<_>>())
}

proptest! {
    #[test]
    fn nobody_may_more_than_their_role(who in identity(), rpc in any_rpc(), board in labels(3)) {
        let whole = Identity { scope: Scope::WHOLE, ..who.clone() };
        let may = permit(&whole, rpc, &board).is_ok();
        let Some(needed) = rpc.needs else {
            prop_assert!(may, "strangers may, so everybody may");
            return Ok(());
        };
        let expected = match who.role {
            Role::Workload => rpc.workload,
            role => role as u8 >= needed as u8,
        };
        prop_assert_eq!(may, expected, "{:?} {:?}", who, rpc);
        // A viewer changes nothing: whatever is written down is refused to them.
        if who.role == Role::Viewer && rpc.record != Record::Nothing {
            prop_assert!(!may);
        }
    }

    #[test]
    fn a_scope_only_takes_away(who in identity(), rpc in any_rpc(), board in labels(3)) {
        let whole = Identity { scope: Scope::WHOLE, ..who.clone() };
        let (may, whole_may) = (permit(&who, rpc, &board), permit(&whole, rpc, &board).is_ok());
        if may.is_ok() {
            prop_assert!(whole_may);
        } else if whole_may {
            prop_assert!(matches!(may, Err(Refusal::Scope { .. })), "{:?}", may);
        }
        let inside = who.scope.labels().iter().all(|(name, value)| board.get(name) == Some(value));
        if rpc.scoped == Scoped::Board && whole_may {
            prop_assert_eq!(may.is_ok(), inside);
        }
        if rpc.scoped == Scoped::Refused && !who.scope.is_whole() {
            prop_assert!(may.is_err());
        }
    }

    #[test]
    fn a_wider_role_and_a_wider_scope_may_all_that_a_narrower_may(
        who in identity(), rpc in any_rpc(), board in labels(3), left_out in 0usize..3,
    ) {
        if permit(&who, rpc, &board).is_ok() && who.role != Role::Workload {
            let mut wider = who.scope.labels().clone();
            if let Some(name) = wider.keys().nth(left_out).cloned() {
                wider.remove(&name);
            }
            for role in [Role::Operator, Role::Admin].into_iter().filter(|role| *role >= who.role) {
                let wider = Identity { role, scope: Scope::of(wider.clone()).unwrap(), ..who.clone() };
                prop_assert!(permit(&wider, rpc, &board).is_ok());
            }
        }
    }

    #[test]
    fn an_identity_is_the_same_from_its_text(who in identity()) {
        prop_assert_eq!(who.to_string().parse::<Identity>(), Ok(who));
    }

    #[test]
    fn no_text_is_another_identity_than_it_says(text in "(fulcrum://)?[a-z/?=&.%:@ -]{0,40}") {
        if let Ok(who) = text.parse::<Identity>() {
            prop_assert_eq!(who.to_string().len(), text.len());
        }
    }

    #[test]
    fn an_allowance_is_never_exceeded(
        gaps in prop::collection::vec(0u64..500, 1..200), a_second in 1.0..50.0, at_once in 1.0..20.0,
    ) {
        let mut allowances = Allowances::new(Allowance { a_second, at_once }, 10);
        let (mut now, mut taken) = (Duration::ZERO, 0.0);
        for gap in gaps {
            now += Duration::from_millis(gap);
            if allowances.take("a", now) {
                taken += 1.0;
            }
            prop_assert!(taken <= at_once + now.as_secs_f64() * a_second + 1e-6);
        }
    }

    #[test]
    fn no_bytes_bring_down_who_looks_for_a_subject(
        bytes in prop::collection::vec(any::<u8>(), 0..64), path in prop::collection::vec(0u32..4, 0..3),
    ) {
        if let Some(text) = subject(&bytes, &path) {
            prop_assert!(text.chars().count() <= 128 && !text.chars().any(char::is_control));
        }
    }
}

#[test]
fn those_who_are_forgotten_had_all_of_their_allowance() {
    let mut allowances = Allowances::new(Allowance { a_second: 1.0, at_once: 2.0 }, 3);
    let at = Duration::from_secs;
    for name in ["a", "b", "c"] {
        assert!(allowances.take(name, at(0)) && allowances.take(name, at(0)));
        assert!(!allowances.take(name, at(0)));
    }
    assert!(!allowances.take("d", at(1)), "nobody has all of it back, so nobody is forgotten");
    assert!(allowances.take("d", at(2)));
    assert_eq!(allowances.remembered(), 1);
}

#[test]
fn an_rpc_is_found_by_its_path_and_by_nothing_else() {
    assert_eq!(rpc("/fulcrum.v1.SchedulerService/SubmitJob").unwrap().short_name(), "SubmitJob");
    assert_eq!(rpc("/grpc.health.v1.Health/Check").unwrap().needs, None);
    for path in ["", "/", "SubmitJob", "/fulcrum.v2.SchedulerService/SubmitJob", "/fulcrum.v1./"] {
        assert_eq!(rpc(path), None, "{path}");
    }
}

const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

fn list(expires: &str, further: &str) -> Result<AccessList, String> {
    let sha256 = fingerprint("the secret");
    let text = format!(
        "{further}\n[[token]]\nname = \"anna\"\nrole = \"operator\"\nsha256 = \"{sha256}\"\n\
         expires = \"{expires}\"\nscope.site = \"oslo\"\n"
    );
    AccessList::from_toml(&text).map_err(|error| error.to_string())
}

#[test]
fn a_token_is_taken_until_it_expires_or_is_revoked() {
    let known = list("1970-01-02T00:00:00Z", "").unwrap();
    let who = known.identify("the secret", NOW).unwrap();
    assert_eq!(
        (who.name.as_str(), who.role, who.scope.to_string()),
        ("anna", Role::Operator, "site=oslo".into())
    );
    assert_eq!(known.identify("another", NOW), Err("nobody has this token"));
    assert_eq!(known.identify("", NOW), Err("nobody has this token"));
    // What is kept lets nobody in.
    assert!(known.identify(&fingerprint("the secret"), NOW).is_err());
    let late = NOW + Duration::from_hours(24);
    assert_eq!(known.identify("the secret", late), Err("the token has expired"));
    let revoked = list("1970-01-02T00:00:00Z", "revoked = [\"anna\"]").unwrap();
    assert_eq!(revoked.identify("the secret", NOW), Err("the token is revoked"));
}

#[test]
fn a_list_that_is_wrong_is_refused_with_what_would_be_right_and_without_what_it_holds() {
    let message = list("tomorrow", "").unwrap_err();
    assert!(message.contains("token 1, expires") && message.contains("2027-01-31T00:00:00Z"));
    let secret = "sha256 = \"a-secret-by-mistake\"";
    let text = format!(
        "[[token]]\nname = \"a\"\nrole = \"viewer\"\n{secret}\nexpires = \"1970-01-02T00:00:00Z\""
    );
    let message = AccessList::from_toml(&text).unwrap_err().to_string();
    assert!(message.contains("sha256") && !message.contains("by-mistake"), "{message}");
    let text = "[[token]]\nsecret = \"a-secret-by-mistake\"";
    let message = AccessList::from_toml(text).unwrap_err().to_string();
    assert!(!message.contains("by-mistake"), "{message}");
    for (role, scope) in [("king", ""), ("viewer", "scope.\"a b\" = \"c\"")] {
        let sha256 = fingerprint("");
        let text = format!(
            "[[token]]\nname = \"a\"\nrole = \"{role}\"\nsha256 = \"{sha256}\"\n\
             expires = \"1970-01-02T00:00:00Z\"\n{scope}"
        );
        AccessList::from_toml(&text).unwrap_err();
    }
}
