"""What is wrong with a certificate: from the facts of a Chain (RFC 5280 6.1).

    defects(pki, chain, "mx.a.test", ...)   # as WebPKI sees it, RFC 8461 4.2
    below(pki, chain, "inter")              # below an anchor, RFC 7672 3.1.2
"""
from .pki import AUTHORITIES, EXPIRED as PAST, FUTURE as TO_COME

UNTRUSTED, EXPIRED, NAME, OTHER = "untrusted", "expired", "name", "other"
ROOT = "root"   # the one authority that is known to everybody


def has_name(names, host):
    """RFC 6125 6.4.3: a wildcard is the whole of the first label."""
    return any(one == host or one.startswith("*.") and
               one[2:] == host.partition(".")[2] for one in names)


def way(pki, chain, anchor):
    """The authorities from the leaf's issuer to an anchor, or None."""
    above = [] if chain.issuer == "self" else pki.issuers(chain.issuer)
    return above[:above.index(anchor) + 1] if anchor in above else None


def below(pki, chain, anchor, shown=True):
    """What is wrong between leaf and anchor, names aside; None: there is no way
    from one to the other.  shown: the anchor has to be sent, too."""
    above = way(pki, chain, anchor)
    needed = above if shown else (above or [])[:-1]
    if above is None or chain.send and not set(needed) <= set(chain.send):
        return None
    authorities = [AUTHORITIES[one] for one in above]
    days = [chain.days, *(one.days for one in authorities)]
    trusted = chain.purpose != "client" and all(
        one.is_ca and one.permitted is None and
        (one.path_length is None or n <= one.path_length)
        for n, one in enumerate(authorities))
    weak = any(one.digest == "sha1" for one in authorities)
    return [*([] if trusted else [UNTRUSTED]), *([EXPIRED] if PAST in days else []),
            *([OTHER] if TO_COME in days or weak else [])]


def defects(pki, chain, wanted, **words):
    """All that is wrong with it for who wants this name; words: of its own names."""
    names = [name.format(**words).lower() for name in chain.names]
    wrong = below(pki, chain, ROOT, shown=False)
    if wrong is None:   # and a date may be wrong, and the name
        days = {PAST: [EXPIRED], TO_COME: [OTHER]}.get(chain.days, [])
        wrong = [UNTRUSTED, *days]
    return wrong + ([] if has_name(names, wanted) else [NAME])
