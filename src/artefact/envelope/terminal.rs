//! What a terminal would not show.

use std::borrow::Cow;

/// A line without colours and other escape sequences (ECMA-48), and without the bytes that fill a file's holes.
pub(super) fn plain(text: Cow<'_, str>) -> Cow<'_, str> {
    if !text.bytes().any(|byte| byte == 0x1b || byte == 0) {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\0' => {}
            '\x1b' => match characters.peek() {
                Some('[') => {
                    characters.next();
                    // Parameters and intermediate bytes, up to a final one.
                    while characters.next_if(|next| ('\x20'..'\x40').contains(next)).is_some() {}
                    characters.next_if(|next| ('\x40'..='\x7e').contains(next));
                }
                Some(']') => {
                    // An operating system command ends with a bell or with ESC \.
                    let bounded = characters.clone().take(2048).position(|next| next == '\x07' || next == '\x1b');
                    if let Some(length) = bounded {
                        let end = characters.nth(length);
                        if end == Some('\x1b') {
                            characters.next_if_eq(&'\\');
                        }
                    }
                }
                Some('(' | ')') => {
                    characters.next();
                    characters.next();
                }
                _ => {}
            },
            other => out.push(other),
        }
    }
    Cow::Owned(out)
}
