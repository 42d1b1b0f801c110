//! Our own question: a render whose templates may look up objects of the destination's cluster. Nobody here reaches a
//! cluster: whoever asks brings the objects along, and is told which ones are still wanted.

use crate::manifests::hex;
use crate::server::RepoServer;
use crate::status;
use prost::Message;
use render::Lookup;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use tonic::{Request, Response, Status};
use wire::lookups::lookups_service_server::LookupsService;
use wire::lookups::{Answer, LookingRequest, LookingResponse};

/// What is known of the cluster in one render, and what its templates wanted to know besides. Holds what Secrets hold.
pub(crate) struct Answers {
    known: BTreeMap<Lookup, Option<Value>>,
    wanted: Mutex<BTreeSet<Lookup>>,
    /// Identifies what is known.
    digest: String,
}

impl Answers {
    fn read(answers: Vec<Answer>) -> Result<Self, Status> {
        // In whatever order they come, the same answers are the same.
        let mut encoded: Vec<Vec<u8>> = answers.iter().map(Message::encode_length_delimited_to_vec).collect();
        encoded.sort();
        let digest = hex(&Sha256::digest(encoded.concat()));
        let mut known = BTreeMap::new();
        for answer in answers {
            let lookup = from_wire(answer.lookup.ok_or_else(|| status::missing("lookup of an answer"))?);
            let content = (!answer.content.is_empty()).then(|| serde_json::from_slice(&answer.content));
            let content = content.transpose().map_err(|error| {
                Status::invalid_argument(format!(
                    "the answer to a lookup of {} is no JSON: {error}",
                    lookup.kind
                ))
            })?;
            known.insert(lookup, content);
        }
        Ok(Self { known, wanted: Mutex::default(), digest })
    }

    /// What a template is told. One that looks up what nobody knows goes on with nothing, so that all it wants is
    /// found at once.
    pub(crate) fn answer(&self, lookup: &Lookup) -> Option<Value> {
        let known = self.known.get(lookup);
        if known.is_none() {
            self.wanted.lock().unwrap_or_else(PoisonError::into_inner).insert(lookup.clone());
        }
        known.cloned().flatten()
    }

    /// What was wanted so far.
    pub(crate) fn wanted(&self) -> Vec<wire::lookups::Lookup> {
        let wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        wanted.iter().cloned().map(to_wire).collect()
    }

    pub(crate) fn digest(&self) -> &str {
        &self.digest
    }
}

fn from_wire(lookup: wire::lookups::Lookup) -> Lookup {
    let wire::lookups::Lookup { api_version, kind, namespace, name } = lookup;
    Lookup { api_version, kind, namespace, name }
}

fn to_wire(lookup: Lookup) -> wire::lookups::Lookup {
    let Lookup { api_version, kind, namespace, name } = lookup;
    wire::lookups::Lookup { api_version, kind, namespace, name }
}

#[tonic::async_trait]
impl LookupsService for RepoServer {
    async fn render(&self, request: Request<LookingRequest>) -> Result<Response<LookingResponse>, Status> {
        let LookingRequest { request, answers } = request.into_inner();
        let request = request.ok_or_else(|| status::missing("request"))?;
        let answers = Arc::new(Answers::read(answers)?);
        let mut made = self.made_for(request, Some(answers)).await?;
        let wanted = std::mem::take(&mut made.kept.wanted);
        let manifests = wanted.is_empty().then(|| made.response());
        Ok(Response::new(LookingResponse { manifests, wanted }))
    }
}
