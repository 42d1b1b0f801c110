//! What the web pages show.

use crate::reader::{Data, Problem, Reader};
use crate::server::external_url;
use std::collections::BTreeMap;

/// Looks, banner, help and analytics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ui {
    /// Path or address of another stylesheet.
    pub css_url: String,
    /// The banner.
    pub banner: Banner,
    /// Where to get help.
    pub help: Help,
    /// Caption of the single-sign-on button.
    pub login_button: String,
    /// Whether the page of all resources is hidden.
    pub resource_view_disabled: bool,
    /// Google Analytics id.
    pub analytics_id: String,
    /// Whether analytics learn a hash instead of the user.
    pub analytics_anonymous: bool,
}

/// A message above every page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Banner {
    /// Its text; none, no banner.
    pub content: String,
    /// Where it links to.
    pub url: String,
    /// Whether it cannot be closed.
    pub permanent: bool,
    /// `top`, `bottom` or `both`; empty is `top`.
    pub position: String,
}

/// Where users get help.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Help {
    /// Address of a chat.
    pub chat_url: String,
    /// Caption of the chat link.
    pub chat_text: String,
    /// Addresses of the CLI by platform, as in `linux-amd64`.
    pub downloads: BTreeMap<String, String>,
}

impl Ui {
    /// Reads `argocd-cm`.
    pub fn parse(data: &Data) -> (Self, Vec<Problem>) {
        let mut reader = Reader::new(data);
        let position = match reader.text("ui.bannerposition") {
            word @ ("" | "top" | "bottom" | "both") => word.to_owned(),
            word => {
                reader.problem("ui.bannerposition", format!("{word:?} is not top, bottom or both"));
                String::new()
            }
        };
        let banner = Banner {
            content: reader.text("ui.bannercontent").to_owned(),
            url: external_url(&mut reader, "ui.bannerurl"),
            permanent: reader.flag("ui.bannerpermanent", false),
            position,
        };
        let ui = Self {
            css_url: reader.text("ui.cssurl").to_owned(),
            banner,
            help: help(&mut reader),
            login_button: reader.text("ui.loginButtonText").to_owned(),
            resource_view_disabled: reader.flag("ui.view.resources.disabled", false),
            analytics_id: reader.text("ga.trackingid").to_owned(),
            // Only the one word switches it off: a slip of the pen must not tell who someone is.
            analytics_anonymous: reader.text("ga.anonymizeusers") != "false",
        };
        (ui, reader.problems)
    }
}

fn help(reader: &mut Reader<'_>) -> Help {
    let chat_url = external_url(reader, "help.chatUrl");
    let chat_text =
        if chat_url.is_empty() { String::new() } else { reader.text_or("help.chatText", "Chat now!") };
    let data = reader.data;
    let platforms = data.keys().filter_map(|key| Some((key, key.strip_prefix("help.download.")?)));
    let downloads = platforms
        .filter_map(|(key, platform)| {
            let address = external_url(reader, key);
            (!address.is_empty()).then(|| (platform.to_owned(), address))
        })
        .collect();
    Help { chat_url, chat_text, downloads }
}
