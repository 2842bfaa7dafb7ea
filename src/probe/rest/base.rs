//! The address of a REST: what is asked, and what is shown of it.

use std::fmt::Write as _;

use ureq::http::Uri;

use super::RestError;

/// An address, taken apart.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct BaseUrl {
    /// `http://host:8081/prefix` without a slash behind, a name or a password.
    url: String,
    shown: String,
    authorization: Option<String>,
}

/// Without its secret.
impl std::fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("BaseUrl").field(&self.shown).finish()
    }
}

impl BaseUrl {
    /// An address without a scheme is http; what stands behind `?` or `#` is that of a page, and left out.
    pub(super) fn parse(text: &str) -> Result<BaseUrl, RestError> {
        let text = text.trim();
        let bad = |why| RestError::BadUrl { url: shown_of(text), why };
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        let scheme = scheme.to_ascii_lowercase();
        let rest = rest.split(['?', '#']).next().unwrap_or_default();
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, authority),
        };
        match scheme.as_str() {
            "http" => {}
            "https" if cfg!(feature = "tls") => {}
            "https" => return Err(RestError::NoTls { url: shown_of(text) }),
            _ => return Err(bad("only http and https are spoken")),
        }
        if host.is_empty() {
            return Err(bad("it names no host"));
        }
        let url = format!("{scheme}://{host}{}", path.trim_end_matches('/'));
        let _: Uri = url.parse().map_err(|_| bad("it has characters that none has"))?;
        // The colons of an IPv6 address stand within brackets.
        let port = host.rsplit_once(':').filter(|(_, port)| !port.ends_with(']'));
        if port.is_some_and(|(_, port)| port.parse::<u16>().is_err()) {
            return Err(bad("its port is none"));
        }
        let shown = match user {
            Some(_) => url.replacen("://", "://***@", 1),
            None => url.clone(),
        };
        let authorization = user.map(|user| format!("Basic {}", base64(&undone(user))));
        Ok(BaseUrl { url, shown, authorization })
    }

    /// The address of a path, which begins with a slash.
    pub(super) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// The address without its secrets.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    /// The address of a path for messages; a long query is cut.
    pub(super) fn shown_at(&self, path: &str) -> String {
        let (path, query) = path.split_once('?').map_or((path, ""), |(path, _)| (path, "?..."));
        format!("{}{path}{query}", self.shown)
    }

    pub(super) fn authorization(&self) -> Option<&str> {
        self.authorization.as_deref()
    }

    /// Where a redirect leads, where that is on the same host.
    pub(super) fn follow(&self, from: &str, location: &str) -> Option<String> {
        let from: Uri = from.parse().ok()?;
        if let Some(path) = location.strip_prefix('/').filter(|path| !path.starts_with('/')) {
            return Some(format!("{}://{}/{path}", from.scheme_str()?, from.authority()?));
        }
        let to: Uri = location.parse().ok()?;
        let same = to.scheme_str() == from.scheme_str() && to.host() == from.host() && to.port_u16() == from.port_u16();
        let without_user = to.authority().is_some_and(|authority| !authority.as_str().contains('@'));
        (same && without_user && to.host().is_some()).then(|| to.to_string())
    }
}

/// An address for messages: without name, password and query.
pub(super) fn shown_of(text: &str) -> String {
    let text = text.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = text.split_once("://").map_or(("", text), |(scheme, rest)| (scheme, rest));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit_once('@').map_or(authority.to_owned(), |(_, host)| format!("***@{host}"));
    let scheme = if scheme.is_empty() { String::new() } else { format!("{scheme}://") };
    format!("{scheme}{host}{path}").chars().take(200).collect()
}

/// A part of a path or query, with all but unreserved characters (RFC 3986) as `%XX`.
pub(super) fn segment(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            written.push(char::from(byte));
        } else {
            let _ = write!(written, "%{byte:02X}");
        }
    }
    written
}

/// `%XX` undone.
fn undone(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let hex = (*first == b'%').then(|| behind.get(..2)).flatten();
        let escaped = hex.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &behind[2..] } else { behind };
    }
    bytes
}

/// Base64 with its padding (RFC 4648), as basic authentication writes a name and a password.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits = three.iter().enumerate().fold(0_u32, |bits, (at, byte)| bits | u32::from(*byte) << (16 - 8 * at));
        for digit in 0..4 {
            let index = bits >> (18 - 6 * digit) & 63;
            let known = DIGITS.get(index as usize).filter(|_| digit <= three.len());
            text.push(known.map_or('=', |known| char::from(*known)));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;

    #[test]
    fn an_address_is_taken_apart_and_shown_without_its_secrets() {
        let base = BaseUrl::parse("http://ada:p%40ss:w@proxy:80/flink/prod/?token=x#/overview").unwrap();
        assert_eq!(base.at("/jobs"), "http://proxy:80/flink/prod/jobs");
        assert_eq!(base.shown_at("/m?get=a"), "http://***@proxy:80/flink/prod/m?...");
        assert_eq!(base.authorization(), Some("Basic YWRhOnBAc3M6dw=="));
        assert!(!format!("{base:?}").contains("p%40ss"));
        assert_eq!(BaseUrl::parse("localhost:8081").unwrap().at("/overview"), "http://localhost:8081/overview");
        assert_eq!(BaseUrl::parse("http://[::1]:8081/").unwrap().at(""), "http://[::1]:8081");
    }

    #[test]
    fn what_is_no_address_says_so_without_its_secret() {
        for text in [
            "",
            "http://",
            "ftp://u:secret@h",
            "http://u:secret@",
            "http://u:secret@h:99999",
            "http://u:secret@h:x",
            "http://u:secret@h h",
        ] {
            let said = BaseUrl::parse(text).unwrap_err().to_string();
            assert!(said.contains("no address") && !said.contains("secret"), "{text}: {said}");
        }
    }

    #[test]
    fn redirects_are_followed_on_the_same_host_alone() {
        let base = BaseUrl::parse("http://h:1/p").unwrap();
        assert_eq!(base.follow("http://h:1/p/x", "/y?z"), Some("http://h:1/y?z".to_owned()));
        assert_eq!(base.follow("http://h:1/p/x", "http://h:1/y"), Some("http://h:1/y".to_owned()));
        for away in ["//evil/y", "http://h:2/y", "https://h:1/y", "http://evil/y", "http://u@h:1/y", "", "y"] {
            assert_eq!(base.follow("http://h:1/p/x", away), None, "{away}");
        }
    }

    #[test]
    fn base64_is_that_of_the_rfc() {
        for (text, written) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("\u{fb}\u{ff}", "w7vDvw=="),
        ] {
            assert_eq!(base64(text.as_bytes()), written);
        }
    }
}
