//! The resources of one kustomization in order, and finding them by id.

use crate::error::{Error, Result};
use crate::id::Id;
use crate::resource::{Behavior, Resource};
use crate::schema::Schema;
use crate::select::Selector;
use std::collections::HashSet;

/// Resources in the order they were added.
#[derive(Clone, Debug, Default)]
pub(crate) struct Resources {
    list: Vec<Resource>,
    /// The ids of all, as long as nothing but adding happened.
    known: Option<HashSet<String>>,
}

/// An id as one text: equal for equal ids.
pub(crate) fn id_key(resource: &Resource, schema: &Schema) -> String {
    let (api_version, kind, name) = (resource.api_version(), resource.kind(), resource.name());
    format!("{api_version}\0{kind}\0{}\0{name}", resource.effective_namespace(schema))
}

impl Resources {
    pub(crate) fn list(&self) -> &[Resource] {
        &self.list
    }

    /// All resources, to be changed.
    pub(crate) fn list_mut(&mut self) -> &mut Vec<Resource> {
        self.known = None;
        &mut self.list
    }

    pub(crate) fn into_list(self) -> Vec<Resource> {
        self.list
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    pub(crate) fn drop_empties(&mut self) {
        if self.list.iter().any(Resource::is_nothing) {
            self.list_mut().retain(|resource| !resource.is_nothing());
        }
    }

    /// Adds a resource that must not be there yet.
    pub(crate) fn append(&mut self, resource: Resource, schema: &Schema) -> Result<()> {
        let list = &self.list;
        let known =
            self.known.get_or_insert_with(|| list.iter().map(|resource| id_key(resource, schema)).collect());
        if !known.insert(id_key(&resource, schema)) {
            return Err(Error::invalid(format!(
                "may not add resource with an already registered id: {}",
                resource.current_id(schema)
            )));
        }
        self.list.push(resource);
        Ok(())
    }

    pub(crate) fn append_all(
        &mut self,
        resources: impl IntoIterator<Item = Resource>,
        schema: &Schema,
    ) -> Result<()> {
        resources.into_iter().try_for_each(|resource| self.append(resource, schema))
    }

    /// Positions of those with an id that is wanted; only those that were ever called `name` are looked at.
    pub(crate) fn with_any_id(
        &self,
        schema: &Schema,
        name: &str,
        wanted: impl Fn(&Id) -> bool,
    ) -> Result<Vec<usize>> {
        let mut found = Vec::new();
        for (at, resource) in self.list.iter().enumerate() {
            if resource.was_called(name) && !resource.is_nothing() && resource.has_id(schema, &wanted)? {
                found.push(at);
            }
        }
        Ok(found)
    }

    /// The one resource that has or had an id.
    pub(crate) fn by_id(&self, id: &Id, schema: &Schema) -> Result<usize> {
        let found = self.with_any_id(schema, &id.name, |one| id.equals(one))?;
        let problem = match found.as_slice() {
            [one] => return Ok(*one),
            [] => "no matches",
            _ => "multiple matches",
        };
        Err(Error::invalid(format!("{problem} for Id {id}; failed to find unique target for patch {id}")))
    }

    /// Takes what a generator made: new ones are added, others replace or merge.
    pub(crate) fn absorb(&mut self, mut resource: Resource, schema: &Schema) -> Result<()> {
        let id = resource.current_id(schema);
        let found = self.with_any_id(schema, &id.name, |one| id.equals(one))?;
        let behavior = resource.behavior();
        let at = match (found.as_slice(), behavior) {
            ([], Behavior::Merge | Behavior::Replace) => {
                return Err(Error::invalid(format!("id {id} does not exist; cannot merge or replace")));
            }
            ([], _) => return self.append(resource, schema),
            ([at], _) => *at,
            _ => {
                return Err(Error::invalid(format!(
                    "found multiple objects that could accept merge of {id}"
                )));
            }
        };
        let old = &self.list[at];
        match behavior {
            Behavior::Replace => resource.take_metadata_from(old)?,
            Behavior::Merge => {
                let origin = old.annotation(crate::resource::note::ORIGIN).map(ToOwned::to_owned);
                resource.take_metadata_from(old)?;
                resource.merge_data_from(old)?;
                if let Some(origin) = origin {
                    let mut annotations = resource.annotations();
                    annotations.insert(crate::resource::note::ORIGIN.to_owned(), origin);
                    resource.set_annotations(&annotations)?;
                }
            }
            _ => {
                return Err(Error::invalid(format!(
                    "id {id} exists; can not use behavior: '{}', behavior must be merge or replace",
                    behavior.as_str()
                )));
            }
        }
        self.list_mut()[at] = resource;
        Ok(())
    }

    /// Positions of those a selector selects, by their first or their present name and namespace.
    pub(crate) fn select(&self, selector: &Selector, schema: &Schema) -> Result<Vec<usize>> {
        let compiled = selector.compile()?;
        let mut found = Vec::new();
        for (at, resource) in self.list.iter().enumerate() {
            if !compiled.matches_gvk(resource.gvk()) {
                continue;
            }
            let original = resource.original_id(schema)?;
            let namespace = compiled.matches_namespace(original.effective_namespace())
                || compiled.matches_namespace(resource.effective_namespace(schema));
            let name = compiled.matches_name(&original.name) || compiled.matches_name(resource.name());
            if namespace
                && name
                && (compiled.labels.is_empty() || compiled.labels.matches(|label| resource.label(label)))
                && (compiled.annotations.is_empty()
                    || compiled.annotations.matches(|annotation| resource.annotation(annotation)))
            {
                found.push(at);
            }
        }
        Ok(found)
    }

    /// Applies a strategic-merge patch to some resources, each with a copy of its own.
    pub(crate) fn patch(&mut self, at: &[usize], patch: &Resource, schema: &Schema) -> Result<()> {
        for at in at {
            let target = &mut self.list_mut()[*at];
            let patch = patch.as_patch_for(target)?;
            target.patch(patch, schema)?;
        }
        let list = std::mem::take(self.list_mut());
        self.append_all(list.into_iter().filter(|resource| !resource.is_nothing()), schema)
    }
}
