//! Whether the server is there. Nobody asks about a single service: all stand and fall together.

use futures::StreamExt as _;
use futures::stream;
use std::collections::BTreeMap;
use tonic::codegen::BoxStream;
use tonic::{Request, Response, Status};
use wire::health::health_check_response::ServingStatus;
use wire::health::health_server::Health;
use wire::health::{HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse};

/// The name of the whole server.
const WHOLE: &str = "";

pub(crate) struct Healthy;

fn answer(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse { status: status.into() }
}

#[tonic::async_trait]
impl Health for Healthy {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        if request.into_inner().service == WHOLE {
            Ok(Response::new(answer(ServingStatus::Serving)))
        } else {
            Err(Status::not_found("unknown service"))
        }
    }

    /// What is said first stays true until the server is gone; a name that is not known may become so.
    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<BoxStream<HealthCheckResponse>>, Status> {
        let known = request.into_inner().service == WHOLE;
        let status = if known { ServingStatus::Serving } else { ServingStatus::ServiceUnknown };
        let said = stream::once(async move { Ok(answer(status)) });
        Ok(Response::new(said.chain(stream::pending()).boxed()))
    }

    async fn list(
        &self,
        _request: Request<HealthListRequest>,
    ) -> Result<Response<HealthListResponse>, Status> {
        let statuses = BTreeMap::from([(WHOLE.to_owned(), answer(ServingStatus::Serving))]);
        Ok(Response::new(HealthListResponse { statuses }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonic::Code;

    fn about(service: &str) -> Request<HealthCheckRequest> {
        Request::new(HealthCheckRequest { service: service.to_owned() })
    }

    #[tokio::test]
    async fn the_whole_is_well_and_nothing_else_is_known() {
        let whole = Healthy.check(about("")).await.unwrap().into_inner();
        assert_eq!(whole.status(), ServingStatus::Serving);
        let status = Healthy.check(about("x")).await.unwrap_err();
        assert_eq!((status.code(), status.message()), (Code::NotFound, "unknown service"));
        let mut watched = Healthy.watch(about("x")).await.unwrap().into_inner();
        assert_eq!(watched.next().await.unwrap().unwrap().status(), ServingStatus::ServiceUnknown);
    }
}
