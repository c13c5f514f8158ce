-- Stations that came by themselves are counted whenever another one comes: there are few of them, and there may be many others.
CREATE INDEX unknown_stations ON stations (provisioned) WHERE provisioned = 0;
