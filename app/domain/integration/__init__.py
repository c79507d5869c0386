"""Other systems of a site: their keys, what they book, and the people and units they know by numbers of their own."""
