//! Compiles `proto/` in process: Rust messages, clients and servers, and the descriptor set that the transcoder
//! and gRPC reflection read.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

use protox::Compiler;

/// Packages whose messages are hand-written in the crate `api`, and the module they are in.
const IN_API: &[(&str, &str)] = &[
    ("github.com.argoproj.argo_cd.v3.pkg.apis.application.v1alpha1", "::api::v1alpha1"),
    ("k8s.io.api.core.v1", "::api::k8s::core_v1"),
    ("k8s.io.apimachinery.pkg.apis.meta.v1", "::api::k8s::meta_v1"),
    ("k8s.io.apimachinery.pkg.runtime", "::api::k8s::runtime"),
    ("k8s.io.apimachinery.pkg.util.intstr", "::api::k8s::intstr"),
    ("k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.v1", "::api::k8s::apiextensions_v1"),
];

/// tonic's words for a method that a server leaves out; replaced by ones that name the method.
const STUB: &str = "\"Not yet implemented\"";

/// Where tonic's generated code leaves the size of messages to its default, and what stands there instead.
const RAISED: &[(&str, &str)] = &[
    ("max_decoding_message_size: None", "max_decoding_message_size: Some(crate::MESSAGE_LIMIT)"),
    (
        "tonic::client::Grpc::new(inner)",
        "tonic::client::Grpc::new(inner).max_decoding_message_size(crate::MESSAGE_LIMIT)",
    ),
    (
        "tonic::client::Grpc::with_origin(inner, origin)",
        "tonic::client::Grpc::with_origin(inner, origin).max_decoding_message_size(crate::MESSAGE_LIMIT)",
    ),
];

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../../proto");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    println!("cargo::rerun-if-changed={}", root.display());

    let mut files = Vec::new();
    collect(&root, &mut files)?;
    files.sort();

    let mut compiler = Compiler::new([&root])?;
    compiler.include_imports(true).open_files(&files)?;
    fs::write(out.join("descriptor_set.bin"), compiler.encode_file_descriptor_set())?;

    let mut compiler = Compiler::new([&root])?;
    compiler.include_imports(true).include_source_info(true).open_files(&files)?;
    let mut descriptors = compiler.file_descriptor_set();
    descriptors.file.retain(|file| !["google.api", "gojson", "rights"].contains(&file.package()));

    let mut prost = tonic_prost_build::Config::new();
    prost.btree_map(["."]).enable_type_names();
    let mut builder = tonic_prost_build::configure().generate_default_stubs(true);
    for (message, rust) in hand_written(&descriptors) {
        builder = builder.extern_path(message, rust);
    }
    let services = descriptors.file.iter().flat_map(|file| &file.service);
    let methods: Vec<String> =
        services.flat_map(|service| service.method.iter().map(|method| method.name().to_owned())).collect();
    builder.compile_fds_with_config(descriptors, prost)?;
    for entry in fs::read_dir(&out)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            finish(&path, &methods)?;
        }
    }
    Ok(())
}

/// Every `.proto` file under `folder`.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            files.push(path);
        }
    }
    Ok(())
}

/// Message name and Rust path of each message that the crate `api` defines.
fn hand_written(descriptors: &prost_types::FileDescriptorSet) -> Vec<(String, String)> {
    let mut paths = Vec::new();
    for file in &descriptors.file {
        let Some((package, module)) = IN_API.iter().find(|(package, _)| *package == file.package()) else {
            continue;
        };
        for message in &file.message_type {
            // Rust's spelling of the one name that is not kept as it is.
            let rust = if message.name() == "JSON" { "Json" } else { message.name() };
            paths.push((format!(".{package}.{}", message.name()), format!("{module}::{rust}")));
        }
    }
    paths
}

/// Takes away derives that the types of `api` do not have, raises the size of messages that clients and servers take
/// from tonic's 4 MiB, and makes the default answer of an unimplemented method say
/// which method it is, as gRPC servers in Go do.
fn finish(path: &Path, methods: &[String]) -> Result<(), Box<dyn Error>> {
    let code = fs::read_to_string(path)?;
    let mut raised = code.replace("PartialEq, Eq, Hash, ::prost::", "PartialEq, ::prost::");
    for (tonic, ours) in RAISED {
        raised = raised.replace(tonic, ours);
    }
    let mut parts = raised.split(STUB);
    let mut finished = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let method =
            finished.rsplit("async fn ").next().and_then(|rest| rest.split('(').next()).unwrap_or_default();
        let method = method.trim_start_matches("r#").replace('_', "");
        let method =
            methods.iter().find(|name| name.eq_ignore_ascii_case(&method)).ok_or("a stub of no method")?;
        finished.push_str(&format!("\"method {method} not implemented\""));
        finished.push_str(part);
    }
    if finished != code {
        fs::write(path, finished)?;
    }
    Ok(())
}
