"""Replaying chasquid's .cmy scripts: "c -> line", "c <~ reply", "c ~> bytes"."""
import ast
import operator

from .talk import Talk

OPERATORS = {ast.Add: operator.add, ast.Mult: operator.mul}


def constant(text):
    """The value of an expression of strings, numbers, + and *; nothing else."""
    def value(node):
        if isinstance(node, ast.BinOp):
            return OPERATORS[type(node.op)](value(node.left), value(node.right))
        return ast.literal_eval(node)
    return value(ast.parse(text.strip(), mode="eval").body)


def steps(text):
    """(line number, operation, argument) of each line that does something."""
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split(None, 2)
        if len(words) < 2 or line.startswith("#"):
            continue
        # the argument begins one space behind the operation
        argument = line.split(words[1], 1)[1].removeprefix(" ")
        yield number, words[1], argument


def replay(text, port):
    """Yield (line number, wanted reply, reply got); "" when hung up."""
    talk = None
    for number, operation, argument in steps(text):
        if operation in ("tcp_connect", "tls_connect", "close"):
            if talk:
                talk.close()
            talk = None if operation == "close" else Talk(port, greet=False)
        elif operation == "->":
            talk.send(argument + "\r\n")
        elif operation == "~>":
            talk.send(constant(argument))
        elif operation in ("<-", "<~", "<..."):
            try:
                code, lines = talk.reply()
                yield number, argument.strip(), f"{code} {lines[-1]}"
            except (EOFError, OSError):
                yield number, argument.strip(), ""
        else:
            raise ValueError(f"line {number}: {operation}?")
    if talk:
        talk.close()
