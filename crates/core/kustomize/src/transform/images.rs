//! Image names, tags and digests.

use crate::error::{Error, Result};
use crate::field_spec::{FieldSpecs, apply};
use crate::kustomization::Image;
use crate::node::{Content, Kind, Node, wrong_kind};
use crate::resources::Resources;
use crate::select::go_regex;
use regex::Regex;

/// Replaces images of one name.
#[derive(Debug)]
pub(crate) struct ImageTransformer {
    image: Image,
    /// Nothing when the name is no expression: the original fails as soon as it meets an image.
    pattern: Option<Regex>,
    field_specs: FieldSpecs,
}

impl ImageTransformer {
    pub(crate) fn new(image: Image, field_specs: FieldSpecs) -> Self {
        let pattern = format!("^{}(:[a-zA-Z0-9_.{{}}-]*)?(@sha256:[a-zA-Z0-9_.{{}}-]*)?$", image.name);
        Self { pattern: go_regex(&pattern).ok(), image, field_specs }
    }

    pub(crate) fn run(&self, resources: &mut Resources) -> Result<()> {
        for resource in resources.list_mut() {
            if resource.kind() == "CustomResourceDefinition" {
                continue;
            }
            self.walk(&mut resource.node)?;
            for spec in &self.field_specs {
                apply(spec, &mut resource.node, None, &mut |node| self.set(node))?;
            }
            resource.settle();
        }
        Ok(())
    }

    /// Containers wherever they are.
    fn walk(&self, node: &mut Node) -> Result<()> {
        match &mut node.content {
            Content::Scalar(_) => Ok(()),
            Content::Sequence(items) => items.iter_mut().try_for_each(|item| self.walk(item)),
            Content::Mapping(fields) => {
                for (key, value) in fields {
                    self.walk(value)?;
                    if matches!(key.text.as_str(), "containers" | "initContainers") {
                        self.set_in_containers(value)?;
                    }
                }
                Ok(())
            }
        }
    }

    fn set_in_containers(&self, containers: &mut Node) -> Result<()> {
        for container in containers.items_mut() {
            if container.is_null() {
                continue;
            }
            container.expect(Kind::Mapping)?;
            if let Some(image) = container.get_mut("image") {
                self.set(image)?;
            }
        }
        Ok(())
    }

    fn set(&self, node: &mut Node) -> Result<()> {
        if node.is_null() {
            return self.set_value(node);
        }
        if node.kind() != Kind::Scalar {
            return Err(wrong_kind(Kind::Scalar, node));
        }
        self.set_value(node)
    }

    fn set_value(&self, node: &mut Node) -> Result<()> {
        let Some(pattern) = &self.pattern else {
            return Err(Error::invalid(format!("image name {:?} is no regular expression", self.image.name)));
        };
        if !pattern.is_match(node.text()) {
            return Ok(());
        }
        let (name, tag, digest) = split(node.text());
        let image = &self.image;
        let name = if image.new_name.is_empty() { name } else { &image.new_name };
        let suffixed;
        let (tag, digest) = match (image.new_tag.as_str(), image.digest.as_str()) {
            ("", "") if image.tag_suffix.is_empty() => (tag, digest),
            ("", "") => {
                suffixed = format!("{tag}{}", image.tag_suffix);
                (suffixed.as_str(), "")
            }
            (new_tag, new_digest) => (new_tag, new_digest),
        };
        let mut text = name.to_owned();
        if !tag.is_empty() {
            text.push(':');
            text.push_str(tag);
        }
        if !digest.is_empty() {
            text.push('@');
            text.push_str(digest);
        }
        node.set_scalar(Node::plain(text))
    }
}

/// Name, tag and digest of an image.
pub(crate) fn split(image: &str) -> (&str, &str, &str) {
    let offset = image.find('/').unwrap_or(0);
    let (colon, at) = (image[offset..].find(':'), image[offset..].find('@'));
    match (colon.map(|colon| colon + offset), at.map(|at| at + offset)) {
        (None, None) => (image, "", ""),
        (Some(colon), Some(at)) if colon < at => (&image[..colon], &image[colon + 1..at], &image[at + 1..]),
        (_, Some(at)) => (&image[..at], "", &image[at + 1..]),
        (Some(colon), None) => (&image[..colon], &image[colon + 1..], ""),
    }
}
