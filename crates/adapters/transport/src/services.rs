//! gRPC services put together, with their description for whoever asks by reflection.

use axum::response::IntoResponse;
use http::Request;
use std::convert::Infallible;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::service::Routes;
use tonic_reflection::pb::{v1, v1alpha};
use tonic_reflection::server::{Builder, Error};
use tower::Service;

/// What describes the services describes itself, too.
const REFLECTION: [&str; 2] =
    ["grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"];

/// The description of services cannot be served.
#[derive(Debug, thiserror::Error)]
#[error("gRPC reflection: {0}")]
pub struct ReflectionError(String);

/// Services as they are put together, and their names.
#[derive(Debug, Default)]
pub struct Services {
    routes: Routes,
    names: Vec<String>,
}

impl Services {
    /// One more.
    #[must_use]
    pub fn with<S>(mut self, service: S) -> Self
    where
        S: Service<Request<Body>, Error = Infallible> + NamedService + Clone + Send + Sync + 'static,
        S::Response: IntoResponse,
        S::Future: Send + 'static,
    {
        self.names.push(S::NAME.to_owned());
        self.with_untold(service)
    }

    /// One more, which the description leaves out.
    #[must_use]
    pub fn with_untold<S>(mut self, service: S) -> Self
    where
        S: Service<Request<Body>, Error = Infallible> + NamedService + Clone + Send + Sync + 'static,
        S::Response: IntoResponse,
        S::Future: Send + 'static,
    {
        self.routes = self.routes.add_service(service);
        self
    }

    /// Adds the description of the services that are there; what else the encoded descriptors tell of is not told.
    pub fn described(self, descriptors: &'static [u8]) -> Result<Self, ReflectionError> {
        let builder = || {
            let builder = Builder::configure()
                .register_encoded_file_descriptor_set(descriptors)
                .register_encoded_file_descriptor_set(v1::FILE_DESCRIPTOR_SET)
                .register_encoded_file_descriptor_set(v1alpha::FILE_DESCRIPTOR_SET)
                .include_reflection_service(false);
            let names = self.names.iter().map(String::as_str).chain(REFLECTION);
            names.fold(builder, Builder::with_service_name)
        };
        let failed = |error: Error| ReflectionError(error.to_string());
        let (current, older) =
            (builder().build_v1().map_err(failed)?, builder().build_v1alpha().map_err(failed)?);
        Ok(self.with(current).with(older))
    }

    /// The services as a router, and the names of those that are told.
    pub fn finish(self) -> (axum::Router, Vec<String>) {
        (self.routes.prepare().into_axum_router(), self.names)
    }
}
