"""Leads in and out as tables (CSV, XLSX): reading strangers' files, mapping their columns, importing, undoing, exporting."""
