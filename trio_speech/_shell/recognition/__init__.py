"""Recognition sessions on trio: what a user holds, the links below it, the journal."""
