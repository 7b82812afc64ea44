"""A laboratory for mail transport security: see docs/LAB.md."""
