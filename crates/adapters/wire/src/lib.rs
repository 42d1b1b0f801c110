//! The gRPC services of `proto/` as Rust clients and servers, and the REST API as a transcoding of them.
//!
//! One module per protobuf package holds its messages, clients and server traits; messages that Kubernetes keeps
//! come from the crate `api`. [`transcode`] turns message bytes into the REST API's JSON and back, [`route`] knows
//! which method an HTTP request means, [`bind`] makes its request message, [`gateway`] calls it; [`web`] is gRPC-web.
//! [`rights`] says what a method wants of its caller. Decides nothing about applications.

pub mod bind;
pub mod gateway;
pub mod rights;
pub mod route;
pub mod swagger;
pub mod transcode;
pub mod versions;
pub mod web;
/// Local accounts, their tokens, and what the caller may do.
pub mod account {
    #![expect(
        missing_docs,
        clippy::pedantic,
        clippy::allow_attributes_without_reason,
        reason = "generated from proto/"
    )]
    include!(concat!(env!("OUT_DIR"), "/account.rs"));
}

/// Applications.
pub mod application {
    #![expect(
        missing_docs,
        clippy::pedantic,
        clippy::allow_attributes_without_reason,
        reason = "generated from proto/"
    )]
    include!(concat!(env!("OUT_DIR"), "/application.rs"));
}

/// ApplicationSets.
pub mod applicationset {
    #![expect(
        missing_docs,
        clippy::pedantic,
        clippy::allow_attributes_without_reason,
        reason = "generated from proto/"
    )]
    include!(concat!(env!("OUT_DIR"), "/applicationset.rs"));
}

/// Credentials for git.
pub mod askpass {
    #![expect(
        missing_docs,
        clippy::pedantic,
        clippy::allow_attributes_without_reason,
        reason = "generated from proto/"
    )]
    include!(concat!(env!("OUT_DIR"), "/askpass.rs"));
}

/// TLS certificates and SSH host keys of repository servers.
pub mod certificate {
    #![expect(
        missing_docs,
        clippy::pedantic,
        clippy::allow_attributes_without_reason,
        reason = "generated from proto/"
    )]
    include!(concat!(env!("OUT_DIR"), "/certificate.rs"));
}

/// Destination clusters, and the settings service, which shares the package.
pub mod cluster {
    #![expect(
        missing_docs,
        clippy::pedantic,
        clippy::allow_attributes_without_reason,
        reason = "generated from proto/"
    )]
    include!(concat!(env!("OUT_DIR"), "/cluster.rs"));
}

/// The commit-server; its service has no package.
pub mod commit {
    #![expect(
        missing_docs,
        clippy::pedantic,
        clippy::allow_attributes_without_reason,
        reason = "generated from proto/"
    )]
    include!(concat!(env!("OUT_DIR"), "/_.rs"));
}

/// Kubernetes events.
pub mod events {
    #![expect(missing_docs, reason = "generated from proto/")]
    include!(concat!(env!("OUT_DIR"), "/events.rs"));
}

/// Public keys for commit signatures.
pub mod gpgkey {
    #![expect(
        missing_docs,
        clippy::pedantic,
        clippy::allow_attributes_without_reason,
        reason = "generated from proto/"
    )]
    include!(concat!(env!("OUT_DIR"), "/gpgkey.rs"));
}

/// The standard health service.
pub mod health {
    #![expect(
        missing_docs,
        clippy::pedantic,
        clippy::allow_attributes_without_reason,
        reason = "generated from proto/"
    )]
    include!(concat!(env!("OUT_DIR"), "/grpc.health.v1.rs"));
}

/// Renders that may look up objects of the cluster, asked of the repo-server.
pub mod lookups {
    #![expect(
        missing_docs,
        clippy::pedantic,
        clippy::allow_attributes_without_reason,
        reason = "generated from proto/"
    )]
    include!(concat!(env!("OUT_DIR"), "/lookups.rs"));
}

/// Notification triggers, services and templates.
pub mod notification {
    #![expect(
        missing_docs,
        clippy::pedantic,
        clippy::allow_attributes_without_reason,
        reason = "generated from proto/"
    )]
    include!(concat!(env!("OUT_DIR"), "/notification.rs"));
}

/// Config management plugins.
pub mod plugin {
    #![expect(
        missing_docs,
        clippy::pedantic,
        clippy::allow_attributes_without_reason,
        reason = "generated from proto/"
    )]
    include!(concat!(env!("OUT_DIR"), "/plugin.rs"));
}

/// What a pull request would make of an application, asked of the repo-server.
pub mod previews {
    #![expect(
        missing_docs,
        clippy::pedantic,
        clippy::allow_attributes_without_reason,
        reason = "generated from proto/"
    )]
    include!(concat!(env!("OUT_DIR"), "/previews.rs"));
}

/// Projects.
pub mod project {
    #![expect(
        missing_docs,
        clippy::pedantic,
        clippy::allow_attributes_without_reason,
        reason = "generated from proto/"
    )]
    include!(concat!(env!("OUT_DIR"), "/project.rs"));
}

/// What renders read: our own questions to the repo-server.
pub mod reads {
    #![expect(
        missing_docs,
        clippy::pedantic,
        clippy::allow_attributes_without_reason,
        reason = "generated from proto/"
    )]
    include!(concat!(env!("OUT_DIR"), "/reads.rs"));
}

/// Credential templates.
pub mod repocreds {
    #![expect(
        missing_docs,
        clippy::pedantic,
        clippy::allow_attributes_without_reason,
        reason = "generated from proto/"
    )]
    include!(concat!(env!("OUT_DIR"), "/repocreds.rs"));
}

/// The repo-server, and the repositories of the API server, which share the package.
pub mod repository {
    #![expect(
        missing_docs,
        clippy::pedantic,
        clippy::allow_attributes_without_reason,
        clippy::large_enum_variant,
        reason = "generated from proto/"
    )]
    include!(concat!(env!("OUT_DIR"), "/repository.rs"));
}

/// Logging in and out.
pub mod session {
    #![expect(
        missing_docs,
        clippy::pedantic,
        clippy::allow_attributes_without_reason,
        reason = "generated from proto/"
    )]
    include!(concat!(env!("OUT_DIR"), "/session.rs"));
}

/// Versions.
pub mod version {
    #![expect(
        missing_docs,
        clippy::pedantic,
        clippy::allow_attributes_without_reason,
        reason = "generated from proto/"
    )]
    include!(concat!(env!("OUT_DIR"), "/version.rs"));
}

/// OIDC claims in the settings, under the modules that the generated code expects for their long package.
pub mod github {
    /// Part of the package's name.
    pub mod com {
        /// Part of the package's name.
        pub mod argoproj {
            /// Part of the package's name.
            pub mod argo_cd {
                /// Part of the package's name.
                pub mod server {
                    /// Part of the package's name.
                    pub mod settings {
                        /// The claims.
                        pub mod oidc {
                            #![expect(missing_docs, reason = "generated from proto/")]
                            include!(concat!(
                                env!("OUT_DIR"),
                                "/github.com.argoproj.argo_cd.server.settings.oidc.rs"
                            ));
                        }
                    }
                }
            }
        }
    }
}

/// The largest message that servers and clients take, in bytes: lists of applications are large.
pub const MESSAGE_LIMIT: usize = 200 * 1024 * 1024;

/// The compiled descriptors of everything in `proto/`, options included: for gRPC reflection and the transcoder.
pub const DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptor_set.bin"));
