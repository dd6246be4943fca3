"""The log for other people's tools: XES and OCEL 2.0 of what happened, BPMN 2.0 of what should have."""
