//! How pages look and who sees them: roles, the keyboard, a phone, the dark, and people who cannot see.

use std::net::SocketAddr;

use ocpp_csms::Server;
use ocpp_csms::config::ConfigFile;
use ocpp_csms::demo::make_history;

use crate::browser::Browser;
use crate::walk::{Folder, first_start};

/// The pages that operators use, with history on them.
const PAGES: [&str; 25] = [
    "/",
    "/stations",
    "/stations/DEPOT-1",
    "/stations/DEPOT-1/log",
    "/sessions",
    "/faults",
    "/sites",
    "/sites/new",
    "/energy",
    "/drivers",
    "/tokens",
    "/tariffs",
    "/tariffs/quick",
    "/plans",
    "/payments",
    "/invoices",
    "/invoices/1",
    "/reports",
    "/maintenance",
    "/firmware",
    "/explorer",
    "/audit",
    "/settings",
    "/notifications",
    "/account",
];

/// Fields that nobody who cannot see would know the meaning of.
const NAMELESS: &str = "return [...document.querySelectorAll('input:not([type=hidden]), select, textarea')] \
    .filter((field) => field.labels.length === 0 && !field.getAttribute('aria-label')) \
    .map((field) => field.outerHTML).join('\\n')";
/// Headings and tables without what they need.
const UNTOLD: &str = "const h1 = document.querySelectorAll('h1').length; \
    const headless = [...document.querySelectorAll('thead th:not([scope])')].length; \
    const main = document.querySelectorAll('main').length; \
    return h1 === 1 && headless === 0 && main === 1 ? '' : `${h1} h1, ${headless} headings without scope, ${main} main`";
/// How bright the page is behind its text: 0 to 255.
const BRIGHTNESS: &str = "const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g).map(Number); \
    return (r + g + b) / 3";

async fn server(folder: &Folder) -> Server {
    let file = ConfigFile {
        listen: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
        database: Some(folder.path().join("csms.sqlite").to_str().unwrap().parse().unwrap()),
        ..ConfigFile::default()
    };
    let server = Server::start(file.check().unwrap(), Some("the-token-of-the-tests")).await.unwrap();
    make_history(server.csms()).await.unwrap();
    server
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_fits_a_phone_the_dark_the_keyboard_and_a_reader_of_screens() {
    let folder = Folder::new();
    let server = server(&folder).await;
    let Some(browser) = Browser::open(&format!("http://{}", server.address())).await else { return };
    first_start(&browser, server.new_set_up_link().unwrap()).await;
    for path in PAGES {
        browser.go(path).await;
        assert_eq!(browser.run(NAMELESS).await, "", "{path} has fields without a name");
        assert_eq!(browser.run(UNTOLD).await, "", "{path}");
        browser.size(360, 780).await;
        let width = browser.run("return document.documentElement.scrollWidth - window.innerWidth").await;
        assert!(width.as_i64().unwrap() <= 0, "{path} is {width} px too wide for a phone");
        browser.picture_of_all(&format!("phone{}", path.replace('/', "-"))).await;
        browser.size(1280, 860).await;
        browser.picture_of_all(&format!("wide{}", path.replace('/', "-"))).await;
    }
    for (name, path) in
        [("report", "/reports"), ("faults", "/faults"), ("firmware", "/firmware"), ("prices", "/energy")]
    {
        browser.go(path).await;
        browser.picture(name).await;
    }
    browser.go("/sessions?station=MARKET-1").await;
    browser.click("table a").await;
    browser.find("figure.chart canvas").await;
    browser.picture("session").await;
    browser.size(360, 780).await;
    browser.go("/").await;
    browser.picture("phone").await;
    browser.size(1280, 860).await;
    keyboard(&browser).await;
    browser.go("/").await;
    assert!(browser.run(BRIGHTNESS).await.as_f64().unwrap() > 180.0);
    browser.click("details.person summary").await;
    browser.choose("#theme", "dark").await;
    browser.find("html[data-theme=\"dark\"]").await;
    for path in ["/", "/reports", "/sites/new", "/stations/DEPOT-1", "/payments"] {
        browser.go(path).await;
        assert!(browser.run(BRIGHTNESS).await.as_f64().unwrap() < 60.0, "{path} is not dark");
        browser.picture_of_all(&format!("dark{}", path.replace('/', "-"))).await;
    }
    browser.go("/reports").await;
    browser.picture("dark").await;
    browser.close().await;
    server.shut_down().await;
}

/// The first key leads to the content, and a search needs no mouse.
async fn keyboard(browser: &Browser) {
    browser.go("/stations").await;
    browser.key(Browser::TAB).await;
    assert_eq!(browser.run("return document.activeElement.className").await, "skip");
    assert_eq!(browser.run("return document.activeElement.getBoundingClientRect().left >= 0").await, true);
    browser.key(Browser::ENTER).await;
    browser.key(Browser::TAB).await;
    assert_eq!(browser.run("return document.activeElement.closest('main') !== null").await, true);
    browser.fill("#search", "MARKET").await;
    browser.key(Browser::ENTER).await;
    browser.reads("MARKET-1", false).await;
    assert!(!browser.text().await.contains("DEPOT-1"), "{}", browser.text().await);
}

/// Makes an account by the page of settings, and signs in with it.
async fn become_one(browser: &Browser, admin: &str, role: &str) {
    browser.sign_in("admin", admin).await;
    browser.go("/settings").await;
    browser.fill("#field-name", role).await;
    browser.choose("#role", role).await;
    browser.click("form[action=\"/settings/operators\"] button").await;
    let link = browser.find("#link-made code").await.text().await.unwrap();
    browser.sign_out().await;
    browser.go(&link).await;
    browser.fill("input[name=\"password\"]", "a password of the tests").await;
    if browser.has("input[name=\"again\"]").await {
        browser.fill("input[name=\"again\"]", "a password of the tests").await;
    }
    browser.click("main button").await;
    browser.go("/").await;
    if browser.path().await == "/sign-in" {
        browser.sign_in(role, "a password of the tests").await;
        browser.go("/").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_role_sees_and_does_what_it_may() {
    let folder = Folder::new();
    let server = server(&folder).await;
    let Some(browser) = Browser::open(&format!("http://{}", server.address())).await else { return };
    first_start(&browser, server.new_set_up_link().unwrap()).await;
    browser.sign_out().await;
    // What each finds in the navigation, and what it does not; a page that is closed to it; a form that it may not send.
    let roles = [
        ("viewer", vec!["Dashboard", "Payments"], vec!["Settings", "Audit log", "Explorer"], "/audit", "/stations"),
        ("operator", vec!["Explorer", "Firmware"], vec!["Settings", "Notifications"], "/settings", "/tariffs"),
        ("accountant", vec!["Invoices", "Plans"], vec!["Settings", "Explorer"], "/notifications", "/sites"),
    ];
    for (role, found, hidden, closed, form) in roles {
        become_one(&browser, "a password of the tests", role).await;
        let navigation = browser.find(".side .navigation").await.text().await.unwrap();
        for word in found {
            assert!(navigation.contains(word), "{role} misses {word}: {navigation}");
        }
        for word in hidden {
            assert!(!navigation.contains(word), "{role} sees {word}: {navigation}");
        }
        browser.go(closed).await;
        assert_eq!(browser.run("return document.querySelectorAll('main form').length").await, 0, "{role} at {closed}");
        browser.go("/").await;
        let post = format!(
            "const token = document.querySelector('meta[name=csrf-token]').content; const done = arguments[arguments.length - 1]; \
             fetch('{form}', {{method: 'POST', body: new URLSearchParams({{csrf: token, id: 'x', name: 'x'}})}}).then((answer) => done(answer.status))"
        );
        assert_eq!(browser.run_async(&post).await, 403, "{role} posts to {form}");
        browser.sign_out().await;
    }
    browser.close().await;
    server.shut_down().await;
}
