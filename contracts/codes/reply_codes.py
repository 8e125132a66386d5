"""The codes of ``Reply/Error/code`` of IEC 61968-9 and what they mean.

Source: a public Java enumeration of the codes, in our words; 0.0 and 2.32 are confirmed by published samples [S].
Numbers that are left out are not public; vendors add numbers of their own, so an unknown code is never an error.
"""

MEANINGS: dict[str, str] = {
    "0.0": "no errors",
    "0.1": "partial result, more results will follow in separate messages",
    "0.2": "partial result, no further results will follow",
    "0.3": "simple acknowledgement",
    "1.5": "mandatory Header element(s) missing",
    "1.6": "mandatory Request element(s) missing",
    "1.7": "mandatory Payload element(s) missing",
    "1.8": "request does not validate against its schema",
    "1.9": "message revision given in Header not supported",
    "2.4": "invalid Meter(s)",
    "2.5": "invalid Noun",
    "2.6": "invalid ReadingType(s)",
    "2.9": "invalid Verb",
    "2.10": "unsupported ReadingType(s)",
    "2.12": "invalid UsagePoint(s)",
    "2.13": "Meter / UsagePoint mismatch",
    "2.14": "invalid Source",
    "2.15": "invalid Request ID(s)",
    "2.16": "invalid ServiceLocation(s)",
    "2.17": "Meter / ServiceLocation mismatch",
    "2.18": "ComModule / Meter mismatch",
    "2.19": "invalid CustomerAccount(s)",
    "2.20": "invalid ServiceSupplier(s)",
    "2.21": "CustomerAccount / ServiceSupplier mismatch",
    "2.22": "invalid Customer(s)",
    "2.23": "Customer / CustomerAccount mismatch",
    "2.24": "invalid CustomerAgreement(s)",
    "2.25": "CustomerAccount / CustomerAgreement mismatch",
    "2.26": "CustomerAgreement / UsagePoint mismatch",
    "2.27": "CustomerAccount / UsagePoint mismatch",
    "2.28": "ServiceSupplier / UsagePoint mismatch",
    "2.29": "object relationship mismatch",
    "2.30": "invalid ComModule(s)",
    "2.31": "invalid ServiceCategory(ies)",
    "2.32": "invalid UsagePointLocation(s)",
    "2.33": "invalid PricingStructure(s)",
    "3.1": "too many items in the request",
    "3.2": "too many pending requests",
    "4.1": "request timed out",
    "5.1": "unable to process: high system activity",
    "5.2": "unable to process: transaction not attempted",
    "5.3": "unable to process: transaction attempted and failed",
    "5.4": "unable to process: multiple error types",
    "5.5": "some or all requested ReadingTypes unavailable in the MDMS",
    "5.6": "some or all requested ReadingTypes unavailable in the AMI",
    "5.7": "some or all requested data unavailable",
    "5.8": "mandatory field(s) missing",
    "5.9": "transaction aborted to keep transactional integrity",
    "6.1": "request cancelled per business rule",
    "6.2": "request placed on hold per business rule",
    "6.3": "request released from hold per business rule",
    "6.4": "request rescheduled per business rule",
    "6.5": "request cancelled by user",
    "7.1": "temporary authentication failure",
    "7.2": "authentication required",
    "7.3": "authentication mechanism insufficient",
    "7.4": "authentication failure",
    "7.5": "action not authorized for user",
    "7.6": "authentication mechanism requires encryption",
    "7.7": "policy violation",
}
"""Code to meaning, in the order of the categories."""

CATEGORIES: dict[str, str] = {
    "0": "no error",
    "1": "missing or bad element",
    "2": "invalid parameter",
    "3": "too many",
    "4": "aborted",
    "5": "error of the application",
    "6": "rule of the business",
    "7": "security",
}
"""The part of a code before the point, to what the codes of the category have in common."""


def meaning(code: str) -> str:
    """What ``code`` means; of an unknown one its category, or that it is not known."""
    known = MEANINGS.get(code)
    if known is not None:
        return known
    category = CATEGORIES.get(code.partition(".")[0])
    return f"unknown code {code}" if category is None else f"{category} (unknown code {code})"
