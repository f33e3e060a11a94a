//! The checks on trees of real boards, whole and with parts missing.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::Arc;

use fulcrum_board::Files;
use fulcrum_fake_jetson::{FakeTree, jetsons, orin_agx_jp6, orin_nano, thor, xavier_nx};
use insta::assert_snapshot;

use super::check::{Check, Verdict};
use super::machine::Machine;
use super::{of_machine, report};

fn checks(files: &(impl Files + Clone + 'static), may_write: bool) -> Vec<Check> {
    of_machine(&Machine::new(Arc::new(files.clone()), &|_| may_write))
}

fn check(checks: &[Check], id: &str) -> Check {
    checks.iter().find(|check| check.id == id).expect(id).clone()
}

/// A machine without anything.
#[derive(Debug, Clone)]
struct Nothing;

impl Files for Nothing {
    fn read(&self, _: &Path) -> io::Result<String> {
        Err(io::ErrorKind::NotFound.into())
    }
    fn write(&self, _: &Path, _: &str) -> io::Result<()> {
        Err(io::ErrorKind::PermissionDenied.into())
    }
    fn list(&self, _: &Path) -> io::Result<Vec<String>> {
        Err(io::ErrorKind::NotFound.into())
    }
    fn exists(&self, _: &Path) -> bool {
        false
    }
}

#[test]
fn an_agx_orin_is_described_check_by_check() {
    assert_snapshot!(report::for_people(&checks(&orin_agx_jp6(), true)));
}

#[test]
fn an_orin_nano_is_described_check_by_check() {
    assert_snapshot!(report::for_people(&checks(&orin_nano(), true)));
}

#[test]
fn a_thor_is_described_check_by_check() {
    assert_snapshot!(report::for_people(&checks(&thor(), true)));
}

#[test]
fn a_xavier_nx_is_described_check_by_check() {
    assert_snapshot!(report::for_people(&checks(&xavier_nx(), true)));
}

#[test]
fn a_machine_without_anything_is_no_panic_and_no_failure() {
    let checks = checks(&Nothing, false);
    assert!(report::for_people(&checks).contains("nothing here measures power"));
    assert!(checks.iter().all(|check| check.verdict < Verdict::Fail));
}

#[test]
fn nothing_is_ever_written() {
    for jetson in jetsons() {
        let tree = (jetson.tree)();
        checks(&tree, true);
        assert_eq!(tree.written().len(), 0, "{}", jetson.name);
    }
}

#[test]
fn every_id_is_given_once_and_whatever_the_board() {
    let ids = |checks: &[Check]| checks.iter().map(|check| check.id).collect::<Vec<_>>();
    let of_nothing = ids(&checks(&Nothing, false));
    for jetson in jetsons() {
        assert_eq!(ids(&checks(&(jetson.tree)(), true)), of_nothing, "{}", jetson.name);
    }
    let distinct: BTreeSet<_> = of_nothing.iter().collect();
    assert_eq!(distinct.len(), of_nothing.len());
}

#[test]
fn a_user_without_rights_is_told_who_needs_them() {
    let tree = orin_agx_jp6();
    tree.as_root(false);
    let checks = checks(&tree, false);
    assert_eq!(check(&checks, "files.writable").verdict, Verdict::Warn);
    assert_eq!(check(&checks, "debugfs").verdict, Verdict::Warn);
    assert_eq!(check(&checks, "cpu.policies").verdict, Verdict::Ok, "anyone may read that");
}

#[test]
fn missing_parts_are_named() {
    let without = |spoil: fn(&FakeTree), id: &str| {
        let tree = orin_agx_jp6();
        spoil(&tree);
        check(&checks(&tree, true), id).verdict
    };
    assert_eq!(without(|tree| tree.have_nvpmodel_nodes(false), "emc.cap"), Verdict::Warn);
    assert_eq!(without(|tree| tree.mount_debugfs(false), "debugfs"), Verdict::Warn);
    assert_eq!(without(|tree| tree.gpu_appears_after_reads(1000), "gpu.devfreq"), Verdict::Fail);
    assert_eq!(without(FakeTree::lock_clocks, "clocks.locked"), Verdict::Warn);
}
