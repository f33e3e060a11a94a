//! No rpc without an entry in the table: whoever adds one has to say who may call it.

#![expect(clippy::unwrap_used, reason = "what a test makes is right")]

use std::collections::BTreeSet;

use fulcrum_access::{RPCS, Record, Role, rpc};
use fulcrum_api::FILE_DESCRIPTOR_SET;
use prost::Message as _;
use prost_types::field_descriptor_proto::Type;
use prost_types::{DescriptorProto, FileDescriptorSet};

fn descriptors() -> FileDescriptorSet {
    FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap()
}

#[test]
fn every_rpc_of_the_protocol_is_in_the_table_and_nothing_else_is() {
    let mut there = BTreeSet::new();
    for file in descriptors().file.iter().filter(|file| file.package() == "fulcrum.v1") {
        for service in &file.service {
            for method in &service.method {
                let path = format!("/fulcrum.v1.{}/{}", service.name(), method.name());
                let found =
                    rpc(&path).unwrap_or_else(|| panic!("{path} has no entry in the table"));
                assert_eq!(found.streams_in, method.client_streaming(), "{path}");
                assert!(found.needs.is_some(), "{path} would answer strangers");
                there.insert(found.name);
            }
        }
    }
    let ours = RPCS.iter().filter(|rpc| rpc.name.contains("Service/"));
    assert_eq!(there, ours.map(|rpc| rpc.name).collect());
    let names: BTreeSet<_> = RPCS.iter().map(|rpc| rpc.name).collect();
    assert_eq!(names.len(), RPCS.len(), "each is there once");
}

#[test]
fn what_changes_something_is_for_operators_and_written_down() {
    for rpc in RPCS {
        let looks = ["Get", "List", "Watch", "Solve", "Renew", "Check", "ServerReflectionInfo"];
        let changes = !looks.iter().any(|verb| rpc.short_name().starts_with(verb));
        assert_eq!(rpc.record != Record::Nothing, changes, "{}", rpc.name);
        if changes {
            assert!(rpc.needs.is_some_and(|role| role.covers(Role::Operator)), "{}", rpc.name);
            assert!(!rpc.workload, "{}", rpc.name);
        }
    }
}

#[test]
fn what_is_written_down_of_a_request_is_a_text_that_it_has() {
    let set = descriptors();
    let message = |name: &str| -> DescriptorProto {
        let name = name.rsplit('.').next().unwrap();
        let all = set.file.iter().flat_map(|file| &file.message_type);
        all.into_iter().find(|message| message.name() == name).unwrap().clone()
    };
    for file in &set.file {
        for service in &file.service {
            for method in &service.method {
                let path = format!("/fulcrum.v1.{}/{}", service.name(), method.name());
                let Record::On(fields) = rpc(&path).unwrap().record else { continue };
                let mut within = message(method.input_type());
                for (at, number) in fields.iter().enumerate() {
                    let field = within.field.iter().find(|f| f.number() == number.cast_signed());
                    let field = field.unwrap_or_else(|| panic!("{path} has no field {number}"));
                    assert!(!field.name().contains("token"), "{path}: a secret");
                    if at + 1 == fields.len() {
                        assert_eq!(field.r#type(), Type::String, "{path}: {}", field.name());
                    } else {
                        within = message(field.type_name());
                    }
                }
            }
        }
    }
}
