//! Chromium, driven.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use thirtyfour::prelude::*;

/// Nothing takes this long unless it never comes.
const PATIENCE: Duration = Duration::from_secs(30);

/// Ends with the test.
struct Driver(Child);

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A browser that shows the pages of one server.
pub struct Browser {
    driver: WebDriver,
    origin: String,
    pictures: Option<PathBuf>,
    _process: Driver,
}

impl Browser {
    /// `None`, with a line that says why, where there is no Chromium.
    pub async fn open(origin: &str) -> Option<Self> {
        let spawned = Command::new("chromedriver")
            .args(["--port=0", "--log-level=SEVERE"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let Ok(mut child) = spawned else {
            eprintln!(
                "skipped: there is no chromedriver; install chromium and chromium-driver to run the browser tests"
            );
            return None;
        };
        let output = BufReader::new(child.stdout.take().unwrap());
        let process = Driver(child);
        // "ChromeDriver was started successfully on port 43210."
        let port = output.lines().map_while(Result::ok).find_map(|line| {
            let (_, rest) = line.split_once("successfully on port ")?;
            rest.trim_end_matches('.').parse::<u16>().ok()
        });
        let port = port.expect("chromedriver did not start");
        let mut capabilities = DesiredCapabilities::chrome();
        for argument in ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--lang=en"] {
            capabilities.add_arg(argument).unwrap();
        }
        let driver = WebDriver::new(format!("http://127.0.0.1:{port}"), capabilities).await.unwrap();
        let pictures = std::env::var_os("OCPP_CSMS_SCREENSHOTS").map(PathBuf::from);
        let browser = Self { driver, origin: origin.to_owned(), pictures, _process: process };
        browser.size(1280, 860).await;
        Some(browser)
    }

    pub async fn size(&self, width: u32, height: u32) {
        self.driver.set_window_rect(0, 0, width, height).await.unwrap();
    }

    pub async fn go(&self, path: &str) {
        let url = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.origin) };
        self.driver.goto(url).await.unwrap();
        self.is_well().await;
    }

    /// No page is broken, and no script or style was refused by the policy.
    async fn is_well(&self) {
        let text = self.text().await;
        assert!(!text.contains("That did not work"), "{text}");
    }

    /// What can be read; nothing while a page goes.
    pub async fn text(&self) -> String {
        let script = "return document.body ? document.body.innerText : ''";
        match self.driver.execute(script, Vec::new()).await {
            Ok(text) => text.json().as_str().unwrap_or_default().to_owned(),
            Err(_) => String::new(),
        }
    }

    pub async fn path(&self) -> String {
        self.driver.current_url().await.unwrap().path().to_owned()
    }

    pub async fn has(&self, css: &str) -> bool {
        !self.driver.find_all(By::Css(css)).await.unwrap().is_empty()
    }

    /// Waits until there is such an element.
    pub async fn find(&self, css: &str) -> WebElement {
        let found = self.driver.query(By::Css(css)).wait(PATIENCE, Duration::from_millis(100)).first().await;
        match found {
            Ok(element) => element,
            Err(error) => panic!("there is no {css}: {error}\n{}", self.text().await),
        }
    }

    /// Types into a field, instead of what is in it.
    pub async fn fill(&self, css: &str, text: &str) {
        let field = self.find(css).await;
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    pub async fn choose(&self, css: &str, value: &str) {
        self.find(&format!("{css} option[value=\"{value}\"]")).await.click().await.unwrap();
    }

    /// Clicks; once more where the element was replaced meanwhile, as live parts are.
    pub async fn click(&self, css: &str) {
        let start = Instant::now();
        loop {
            let element = self.find(css).await;
            let _ = element.scroll_into_view().await;
            match element.click().await {
                Ok(()) => return,
                Err(error) => assert!(start.elapsed() < PATIENCE, "{css} cannot be clicked: {error}"),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Waits until this can be read, loading the page again where `again` says so.
    pub async fn reads(&self, wanted: &str, again: bool) {
        let start = Instant::now();
        loop {
            let text = self.text().await;
            if text.contains(wanted) {
                return;
            }
            assert!(start.elapsed() < PATIENCE, "{wanted:?} cannot be read in: {text}");
            tokio::time::sleep(Duration::from_millis(200)).await;
            if again {
                self.driver.refresh().await.unwrap();
            }
        }
    }

    /// Waits until the number that an element begins with is so; the page renews it by itself.
    pub async fn number(&self, css: &str, is_so: impl Fn(f64) -> bool) {
        let start = Instant::now();
        let script = format!("return document.querySelector('{css}')?.textContent || ''");
        loop {
            let text = self.run(&script).await;
            let number = text.as_str().and_then(|text| text.split_whitespace().next()?.parse::<f64>().ok());
            if number.is_some_and(&is_so) {
                return;
            }
            assert!(start.elapsed() < PATIENCE, "{css} says {text}: {}", self.text().await);
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Runs a script in the page.
    pub async fn run(&self, script: &str) -> serde_json::Value {
        self.driver.execute(script, Vec::new()).await.unwrap().json().clone()
    }

    /// Runs a script that says by its last argument when it is done, and with what.
    pub async fn run_async(&self, script: &str) -> serde_json::Value {
        self.driver.execute_async(script, Vec::new()).await.unwrap().json().clone()
    }

    /// The key that goes on to the next link or field.
    pub const TAB: Key = Key::Tab;
    /// The key that does it.
    pub const ENTER: Key = Key::Enter;

    /// Presses a key wherever one is.
    pub async fn key(&self, key: Key) {
        self.driver.active_element().await.unwrap().send_keys(key).await.unwrap();
    }

    /// Signs in at the page for it, by the keyboard.
    pub async fn sign_in(&self, name: &str, password: &str) {
        self.go("/sign-in").await;
        self.fill("input[name=\"name\"]", name).await;
        self.fill("input[name=\"password\"]", password).await;
        self.key(Self::ENTER).await;
        self.find("details.person form[action=\"/sign-out\"]").await;
    }

    pub async fn sign_out(&self) {
        self.go("/").await;
        self.click("details.person summary").await;
        self.click("form[action=\"/sign-out\"] button").await;
        self.find("form[action=\"/sign-in\"]").await;
    }

    /// Leaves a picture of the page, if somebody wants pictures.
    pub async fn picture(&self, name: &str) {
        let Some(folder) = &self.pictures else { return };
        let file = folder.join(format!("{name}.png"));
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        // Charts are drawn and events have come.
        tokio::time::sleep(Duration::from_millis(700)).await;
        self.driver.screenshot(&file).await.unwrap();
    }

    /// The same of any page, for whoever wants to look at all of them: with `OCPP_CSMS_SCREENSHOTS_OF_ALL`.
    pub async fn picture_of_all(&self, name: &str) {
        if std::env::var_os("OCPP_CSMS_SCREENSHOTS_OF_ALL").is_some() {
            self.picture(&format!("all/{name}")).await;
        }
    }

    pub async fn close(self) {
        self.driver.quit().await.unwrap();
    }
}
