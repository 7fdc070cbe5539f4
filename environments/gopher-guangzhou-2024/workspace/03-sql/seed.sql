DROP TABLE IF EXISTS registration;
CREATE TABLE registration (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    city text NOT NULL
);
INSERT INTO registration (name, city) VALUES
    ('Li', 'Guangzhou'), ('Wang', 'Shenzhen'), ('Chen', 'Guangzhou'),
    ('Huang', 'Foshan'), ('Liang', 'Guangzhou'), ('Zhou', 'Shenzhen');
