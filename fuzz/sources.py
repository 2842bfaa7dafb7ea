"""What the sources of a reader say of its grammar: the texts that its tests read, and the words that it looks for."""

import re

from targets import FUZZ, ROOT

# Names that a target takes from many rooms, of which none is a grammar.
NO_GRAMMAR = {"model", "flink::profile", "artefact::excerpt", "plan", "report", "config", "recommend", "check", "diagnose", "probe"}
# What a text of a test has at least, in bytes; and what a word has at least and at most.
TEXT, WORD = 12, range(3, 64)

LITERAL = re.compile(
    r"""//[^\n]*                                # a comment, which may hold quotes
    |   '(?:\\.|[^'\\\n])'                      # a character
    |   b?r(?P<fence>\#*)"(?P<raw>.*?)"(?P=fence)
    |   b?"(?P<text>(?:\\.|[^"\\])*)"
    """,
    re.VERBOSE | re.DOTALL,
)
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", '"': '"', "'": "'", "\\": "\\"}


def named(use, before=""):
    """The paths that `a::{b::{c, d}, e}` names."""
    head, brace, rest = use.partition("{")
    if not brace:
        return [before + use.strip()]
    parts, depth, part = [], 0, ""
    for char in rest.rstrip().removesuffix("}"):
        depth += (char == "{") - (char == "}")
        if char == "," and depth == 0:
            parts.append(part)
            part = ""
        else:
            part += char
    return [path for part in [*parts, part] if part.strip() for path in named(part.strip(), before + head.strip())]


def files_of(target):
    """The files behind what a target uses: the deepest module of each path, with what is in its folder."""
    code = (FUZZ / f"fuzz_targets/{target}.rs").read_text()
    found = set()
    for use in re.findall(r"\boomph::([\w:]+\{[^;]*\}|[\w:]+)", code):
        for path in named(use):
            names = path.split("::")
            while names and not (ROOT / "src" / "/".join(names)).with_suffix(".rs").exists():
                names.pop()
            if not names or "::".join(names) in NO_GRAMMAR:
                continue
            module = ROOT / "src" / "/".join(names)
            found |= {module.with_suffix(".rs"), *module.glob("**/*.rs")}
    return sorted(found)


def unescaped(text):
    """The bytes of a literal as they stand between its quotes."""
    text = re.sub(r"\\\n\s*", "", text)
    text = re.sub(r"\\x([0-7][0-9a-fA-F])", lambda match: chr(int(match[1], 16)), text)
    text = re.sub(r"\\u\{([0-9a-fA-F]+)\}", lambda match: chr(int(match[1], 16)), text)
    return re.sub(r"\\(.)", lambda match: ESCAPES.get(match[1], match[1]), text).encode(errors="replace")


def texts_and_words(files):
    """Literals of tests, which are texts, and those of the code, which are words: each once, in their order."""
    texts, words = {}, {}
    for path in files:
        code = path.read_text()
        tests = 0 if path.stem == "tests" or "tests" in path.parts else code.find("#[cfg(test)]\nmod tests {")
        for match in LITERAL.finditer(code):
            if match["raw"] is None and match["text"] is None:
                continue
            literal = match["raw"].encode() if match["raw"] is not None else unescaped(match["text"])
            if 0 <= tests <= match.start():
                if len(literal) >= TEXT:
                    texts[literal] = None
            elif len(literal) in WORD:
                words[literal] = None
    return list(texts), list(words)
