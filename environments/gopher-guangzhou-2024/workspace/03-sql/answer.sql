-- 任务 · To do: city and number of people, most first
SELECT city, 0 FROM registration;
