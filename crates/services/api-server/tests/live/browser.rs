//! A browser as far as logins need one: keeps cookies, follows redirects, fills forms.

use std::collections::BTreeMap;
use url::Url;

/// No login leads through more pages.
const MOST_REDIRECTS: usize = 20;

/// What a page was.
#[derive(Debug)]
pub struct Page {
    pub url: Url,
    pub status: u16,
    pub location: Option<Url>,
    pub cookies: Vec<String>,
    pub text: String,
}

impl Page {
    /// An address in the page that contains a text.
    pub fn link(&self, attribute: &str, part: &str) -> Url {
        let marker = format!("{attribute}=\"");
        let found = self.text.split(&marker).skip(1).filter_map(|rest| rest.split('"').next());
        let plain = |link: &str| link.replace("&#43;", "+").replace("&amp;", "&");
        let found = found.map(plain).find(|link| link.contains(part));
        let link = found.unwrap_or_else(|| panic!("no {attribute} with {part} in {}", self.text));
        self.url.join(&link).expect("an address")
    }
}

pub struct Browser {
    client: reqwest::Client,
    pub cookies: BTreeMap<String, String>,
}

impl Browser {
    pub fn new() -> Self {
        boot::crypto();
        let builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        Self { client: builder.build().expect("a client"), cookies: BTreeMap::new() }
    }

    /// One page, as it is.
    pub async fn get(&mut self, url: &str) -> Page {
        let request = self.client.get(url);
        self.send(url, request).await
    }

    async fn send(&mut self, url: &str, request: reqwest::RequestBuilder) -> Page {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let response = request.header("cookie", cookies.join("; ")).send().await;
        let response = response.unwrap_or_else(|error| panic!("{url}: {error}"));
        let url: Url = url.parse().expect("an address");
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        let location = header("location").map(|location| url.join(location).expect("an address"));
        let set = response.headers().get_all("set-cookie").iter();
        let cookies: Vec<String> = set.filter_map(|value| value.to_str().ok()).map(str::to_owned).collect();
        for cookie in &cookies {
            let (pair, rest) = cookie.split_once(';').unwrap_or((cookie, ""));
            let (name, value) = pair.split_once('=').expect("a cookie");
            if value.is_empty() || rest.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let status = response.status().as_u16();
        Page { url, status, location, cookies, text: response.text().await.expect("a text") }
    }

    /// The page that redirects lead to, or the first one that is to be fetched from `until`.
    pub async fn follow(&mut self, mut page: Page, until: &str) -> Page {
        for _ in 0..MOST_REDIRECTS {
            let Some(next) = page.location.clone() else { return page };
            if !until.is_empty() && next.as_str().starts_with(until) {
                return page;
            }
            page = self.get(next.as_str()).await;
        }
        panic!("redirects without end, last {page:?}");
    }

    /// Fills the login form of a page.
    pub async fn log_in(&mut self, page: &Page, email: &str, password: &str) -> Page {
        let action = page.link("action", "login");
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("login", email).append_pair("password", password);
        let request = self.client.post(action.as_str());
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        self.send(action.as_str(), request.body(form.finish())).await
    }
}
