"""Raw customer data to the canonical text that is hashed: one file per family, one function per field and rule.

Every function takes what a person or a shop system wrote and returns canonical text, or None: leave the key out.
None of them raises on any text, and each one gives its own output back unchanged.
Which function serves which key is for each platform's table to say (`pipeline.core.identify`).
"""
