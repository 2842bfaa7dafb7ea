//! What stands for a value that is only known once a template is rendered or a shell has run.

/// Whether a key or value holds a placeholder: `${NAME}`, `$(NAME)`, `{{…}}` or its mask.
pub fn is_placeholder(text: &str) -> bool {
    let masked = || text.contains("${") || text.contains("$(") || text.contains("$$$$$");
    (text.contains('$') && masked()) || text.contains("{{")
}
