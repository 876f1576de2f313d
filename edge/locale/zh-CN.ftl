# 终端的文字。键与变量须与 en.ftl 一致。

## 会员显示屏
display-welcome = 欢迎光临
display-greeting = { $greeting }，欢迎您
display-accepted-check-in = 签到成功
display-accepted-visit = 欢迎光临
display-accepted-earn = 积分已记录
display-gain = 本次 +{ $points }
display-points = 可用积分 { $points }
display-points-short = 积分 { $points }
display-points-as-of = 可用积分 { $points }（截至 { $time }）
display-recorded = 已登记
display-recorded-whole = 已为您登记
display-recorded-no-need = 无需再刷
display-refused = 请联系现场工作人员
display-refused-short = 请咨询工作人员
display-already-in = 本场已签到
display-already-visited = 已登记到访
display-already-earned = 已记录，无需再刷
display-unknown = 未识别此卡
display-unknown-whole = 未能识别
display-ask-staff = 请咨询工作人员
display-failed-tap = 请再次贴卡
display-failed-swipe = 请重新刷卡
display-failed-scan = 请重新扫码
display-keep-still = 请勿移动卡片
display-keep-still-whole = 请保持卡片不动
display-not-ready = 暂停服务
display-not-ready-sorry = 敬请谅解
display-idle-tap = 请刷卡
display-idle-scan = 请出示会员码
display-idle-both = 请刷卡或出示会员码
display-idle-none = 请咨询工作人员
