//! docs/reference/api.md: services, calls, messages and fields, with the comments of `proto/`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use fulcrum_api::FILE_DESCRIPTOR_SET;
use prost::Message as _;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto,
    FileDescriptorSet, ServiceDescriptorProto,
};

use super::{cell, hold};

const HEADING: &str = "\
# The interface

What the agent (`AgentService`, `TurnService`), the optimizer (`OptimizerService`) and the scheduler (`SchedulerService`) answer over gRPC, package `fulcrum.v1`. The files are in [proto/fulcrum/v1](../../proto/fulcrum/v1); every process also tells of itself by reflection, and of its health. Units are in the names of fields. A field that is `optional` is absent where something is not known. What refusals carry is in [errors](errors.md).

A client in another language is generated from the files; in Python with `python -m grpc_tools.protoc -Iproto --python_out=client --grpc_python_out=client proto/fulcrum/v1/*.proto`, as [tests/python-client](../../tests/python-client/test_fleet.py) does. Over a local socket a channel needs the option `grpc.default_authority`, like `localhost`.

This document is made from the code: `make documents` writes it.
";

// Numbers of fields in descriptors, from which paths to what a comment is on are made.
const MESSAGES: i32 = 4;
const ENUMS: i32 = 5;
const SERVICES: i32 = 6;
const PARTS: i32 = 2;
const NESTED: i32 = 3;
const NESTED_ENUMS: i32 = 4;

#[test]
fn the_document_of_the_interface_is_that_of_the_protocol() {
    let set = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).expect("descriptors");
    let mut text = HEADING.to_owned();
    for file in set.file.iter().filter(|file| file.package() == "fulcrum.v1") {
        Told { comments: comments(file), text: &mut text }.file(file);
    }
    hold("api.md", &text);
}

/// Comments of a file, by the path to what they are on.
fn comments(file: &FileDescriptorProto) -> BTreeMap<Vec<i32>, String> {
    let info = file.source_code_info.as_ref().expect("comments are kept");
    info.location
        .iter()
        .map(|location| (location.path.clone(), cell(location.leading_comments())))
        .collect()
}

struct Told<'a> {
    comments: BTreeMap<Vec<i32>, String>,
    text: &'a mut String,
}

impl Told<'_> {
    fn file(&mut self, file: &FileDescriptorProto) {
        for (service, number) in file.service.iter().zip(0..) {
            self.service(service, &[SERVICES, number]);
        }
        for (message, number) in file.message_type.iter().zip(0..) {
            self.message("", message, &[MESSAGES, number]);
        }
        for (choice, number) in file.enum_type.iter().zip(0..) {
            self.choice("", choice, &[ENUMS, number]);
        }
    }

    fn comment(&self, path: &[i32]) -> &str {
        self.comments.get(path).map_or("", String::as_str)
    }

    fn heading(&mut self, name: &str, path: &[i32], columns: &str) {
        let comment = self.comment(path).to_owned();
        let rule = "---|".repeat(columns.matches('|').count() + 1);
        let _ = write!(self.text, "\n## {name}\n\n{comment}\n");
        if !columns.is_empty() {
            let _ = write!(self.text, "\n| {columns} |\n|{rule}\n");
        }
    }

    fn service(&mut self, service: &ServiceDescriptorProto, path: &[i32]) {
        self.heading(service.name(), path, "call | takes | answers | meaning");
        for (call, number) in service.method.iter().zip(0..) {
            let streams = if call.server_streaming() { "a stream of " } else { "" };
            let meaning = self.comment(&[path, &[PARTS, number]].concat()).to_owned();
            let _ = writeln!(
                self.text,
                "| `{}` | {} | {streams}{} | {meaning} |",
                call.name(),
                linked(call.input_type()),
                linked(call.output_type()),
            );
        }
    }

    fn message(&mut self, within: &str, message: &DescriptorProto, path: &[i32]) {
        // What stands for a map is no message of its own.
        if message.options.as_ref().is_some_and(prost_types::MessageOptions::map_entry) {
            return;
        }
        let name = format!("{within}{}", message.name());
        let columns = if message.field.is_empty() { "" } else { "field | type | meaning" };
        self.heading(&name, path, columns);
        for (field, number) in message.field.iter().zip(0..) {
            let meaning = self.comment(&[path, &[PARTS, number]].concat()).to_owned();
            let one_of = match field.oneof_index {
                Some(_) if !field.proto3_optional() => ", one of these",
                _ => "",
            };
            let kind = kind(message, field);
            let _ = writeln!(self.text, "| `{}` | {kind}{one_of} | {meaning} |", field.name());
        }
        let below = format!("{name}.");
        for (nested, number) in message.nested_type.iter().zip(0..) {
            self.message(&below, nested, &[path, &[NESTED, number]].concat());
        }
        for (nested, number) in message.enum_type.iter().zip(0..) {
            self.choice(&below, nested, &[path, &[NESTED_ENUMS, number]].concat());
        }
    }

    fn choice(&mut self, within: &str, choice: &EnumDescriptorProto, path: &[i32]) {
        self.heading(&format!("{within}{}", choice.name()), path, "value | meaning");
        for (value, number) in choice.value.iter().zip(0..) {
            let meaning = self.comment(&[path, &[PARTS, number]].concat()).to_owned();
            let _ = writeln!(self.text, "| `{}` | {meaning} |", value.name());
        }
    }
}

/// The type of a field: `repeated [Profile](#profile)`, `optional double`.
fn kind(message: &DescriptorProto, field: &FieldDescriptorProto) -> String {
    let entry = message.nested_type.iter().find(|nested| {
        nested.options.as_ref().is_some_and(prost_types::MessageOptions::map_entry)
            && field.type_name().ends_with(&format!(".{}", nested.name()))
    });
    if let Some(entry) = entry {
        let parts: Vec<String> = entry.field.iter().map(|part| kind(entry, part)).collect();
        return format!("map of {}", parts.join(" to "));
    }
    let name = match field.r#type() {
        Type::Message | Type::Enum => linked(field.type_name()),
        plain => plain.as_str_name().trim_start_matches("TYPE_").to_lowercase(),
    };
    match field.label() {
        Label::Repeated => format!("repeated {name}"),
        _ if field.proto3_optional() => format!("optional {name}"),
        _ => name,
    }
}

/// A type's name; those of this interface lead to their section.
fn linked(full: &str) -> String {
    match full.strip_prefix(".fulcrum.v1.") {
        Some(name) => format!("[{name}](#{})", name.to_lowercase().replace('.', "")),
        None => full.trim_start_matches('.').to_owned(),
    }
}
