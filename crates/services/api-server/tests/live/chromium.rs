//! Logging in at a real Dex in a real browser: its pages, its cookies, its rules.

use crate::sso::{JANE, KILGORE, LOCAL, MOCK, Said, Scene, argocd, bundled, ended};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use testkit::chromium::Driver;
use testkit::dex::PASSWORD;

/// How long a page may take to become what is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(50);
/// What WebDriver calls an element in an answer.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser that is told what to do over WebDriver.
struct Chromium {
    client: reqwest::Client,
    session: String,
    /// Closes the browser.
    _driver: Driver,
}

impl Chromium {
    async fn start() -> Self {
        boot::crypto();
        let start = || Driver::start().expect("chromedriver");
        let driver = tokio::task::spawn_blocking(start).await.expect("it starts");
        let client = reqwest::Client::new();
        let sessions = format!("{}/session", driver.url());
        let wanted = json!({"capabilities": {"alwaysMatch": driver.capabilities()}});
        let begun = answer(client.post(&sessions).body(wanted.to_string())).await.expect("a browser");
        let session = format!("{sessions}/{}", begun["sessionId"].as_str().expect("an id"));
        Self { client, session, _driver: driver }
    }

    async fn read(&self, path: &str) -> Value {
        let asked = self.client.get(format!("{}{path}", self.session));
        answer(asked).await.unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    async fn tell(&self, path: &str, body: Value) -> Result<Value, Value> {
        answer(self.client.post(format!("{}{path}", self.session)).body(body.to_string())).await
    }

    async fn open(&self, url: &str) {
        self.tell("/url", json!({"url": url})).await.unwrap_or_else(|error| panic!("{url}: {error}"));
    }

    /// Waits until the page has an element, and gives the path of it.
    async fn element(&self, xpath: &str) -> String {
        let began = Instant::now();
        loop {
            match self.tell("/element", json!({"using": "xpath", "value": xpath})).await {
                Ok(found) => return format!("/element/{}", found[ELEMENT].as_str().expect("an id")),
                Err(error) if began.elapsed() > PATIENCE => {
                    panic!("{xpath} at {}: {error}", self.read("/url").await)
                }
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    async fn click(&self, xpath: &str) {
        let element = self.element(xpath).await;
        self.tell(&format!("{element}/click"), json!({})).await.expect("a click");
    }

    async fn write(&self, xpath: &str, text: &str) {
        let element = self.element(xpath).await;
        self.tell(&format!("{element}/value"), json!({"text": text})).await.expect("keys");
    }

    /// Waits until it is at an address.
    async fn arrive(&self, url: &str) {
        let began = Instant::now();
        while self.read("/url").await != *url {
            assert!(began.elapsed() < PATIENCE, "at {} and not at {url}", self.read("/url").await);
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// What a path of the server answers to the browser, as JSON.
    async fn told(&self, scene: &Scene, path: &str) -> Value {
        self.open(&format!("{}{path}", scene.base)).await;
        let element = self.element("//pre").await;
        let text = self.read(&format!("{element}/text")).await;
        serde_json::from_str(text.as_str().expect("a text")).unwrap_or_else(|error| panic!("{error}: {text}"))
    }
}

/// WebDriver's answer, or what it says went wrong.
async fn answer(asked: reqwest::RequestBuilder) -> Result<Value, Value> {
    let response = asked.send().await.expect("chromedriver answers");
    let good = response.status().is_success();
    let text = response.text().await.expect("a text");
    let answer: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    if good { Ok(answer["value"].clone()) } else { Err(answer["value"]["message"].clone()) }
}

#[tokio::test]
async fn chromium_logs_in_at_the_bundled_dex_and_out_again() {
    let scene = bundled("sso-chromium").await;
    let browser = Chromium::start().await;
    let target = format!("{}/applications", scene.base);
    browser.open(&format!("{}/auth/login?return_url={target}", scene.base)).await;
    browser.click(&format!("//a[contains(@href, '{LOCAL}')]")).await;
    browser.write("//input[@name='login']", JANE).await;
    browser.write("//input[@name='password']", PASSWORD).await;
    browser.click("//button[@type='submit']").await;
    browser.arrive(&target).await;
    let cookie = browser.read("/cookie/argocd.token").await;
    assert_eq!((&cookie["httpOnly"], &cookie["sameSite"]), (&json!(true), &json!("Lax")), "{cookie}");
    let token = cookie["value"].as_str().expect("a token").to_owned();
    // No script of a page sees the session.
    let script = json!({"script": "return document.cookie", "args": []});
    assert_eq!(browser.tell("/execute/sync", script).await, Ok(json!("")));
    let user = browser.told(&scene, "/api/v1/session/userinfo").await;
    assert_eq!((&user["loggedIn"], &user["username"]), (&json!(true), &json!(JANE)));

    browser.open(&format!("{}/auth/logout", scene.base)).await;
    browser.arrive(&format!("{}/", scene.base)).await;
    assert_eq!(browser.read("/cookie/argocd.token").await["value"], json!(""), "nothing is left in it");
    let user = browser.told(&scene, "/api/v1/session/userinfo").await;
    assert_ne!(user["loggedIn"], json!(true), "{user}");
    let refused = scene.bench.get("/api/v1/account", &token).await;
    refused.is(401, "invalid session: token is revoked, please re-login");
}

#[tokio::test]
async fn the_command_line_logs_in_through_chromium() {
    let scene = bundled("sso-chromium-cli").await;
    let browser = Chromium::start().await;
    let home = tempfile::tempdir().expect("a folder");
    let server = scene.base.trim_start_matches("http://").to_owned();
    let (port, said) = (scene.cli_port.to_string(), Said::default());
    let words = ["login", &server, "--plaintext", "--sso", "--sso-launch-browser=false", "--sso-port", &port];
    let running = argocd(&words, home.path(), &said);
    browser.open(&said.address(&running).await).await;
    browser.click(&format!("//a[contains(@href, '{MOCK}')]")).await;
    browser.element("//*[contains(text(), 'Authentication successful')]").await;
    assert_eq!(ended(running).await, 0, "{}", said.text());
    assert!(said.text().contains(&format!("'{KILGORE}' logged in successfully")), "{}", said.text());
}
