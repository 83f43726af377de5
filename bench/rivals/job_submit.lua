-- A gate as many sites write it: Slurm's own Lua plugin starts curl for each submission and waits for what it says.
-- For tools/bench-slurm; @URL@ becomes an address that answers at once and sets nothing aside.

function slurm_job_submit(job, partitions, user)
  local answer = io.popen("curl --silent --fail --max-time 2 --output /dev/null --write-out ok @URL@")
  local text = answer:read("*a")
  answer:close()
  if text ~= "ok" then
    slurm.log_user("the budget service does not answer")
    return slurm.ERROR
  end
  return slurm.SUCCESS
end

function slurm_job_modify(job, record, partitions, user)
  return slurm.SUCCESS
end

return slurm.SUCCESS
